#pragma once

#include "adapters/kafka/topic_log.h"
#include "adapters/tools/external_sort.h"
#include "worker/domain/bytes.h"

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace helsekontakter::tools {

/// Which events a replay sends once more: of each member or offering the newest one, because an
/// event is the whole state, and an older one would be superseded anyway. Memory: one bit an
/// offset.
class ReplaySelection {
 public:
  /// `by_verdict`: only keys of which select() was said.
  ReplaySelection(const kafka::Stretches& stretches, bool by_verdict);

  /// An event of the stretches that may be sent.
  [[nodiscard]] Result<void> offer(const MemberKey& key, std::int64_t version, Position position);
  /// Its last verdict is the one that was asked for.
  [[nodiscard]] Result<void> select(const MemberKey& key);
  /// This replay has sent it already, before it was interrupted.
  [[nodiscard]] Result<void> leave_out(const MemberKey& key);

  /// Decides; to be called once, when everything was said.
  [[nodiscard]] Result<void> decide();

  [[nodiscard]] bool is_chosen(Position position) const;
  [[nodiscard]] std::uint64_t chosen() const { return chosen_; }
  [[nodiscard]] std::uint64_t done() const { return done_; }  ///< keys that were left out
  /// The stretches without what need not be read.
  [[nodiscard]] kafka::Stretches narrowed() const;

 private:
  enum class Kind : std::uint8_t { left_out, selected, offered };
  /// Of one key: what was said of it comes first, then the events, the newest first.
  struct Row {
    MemberKey key;
    Kind kind{};
    std::int64_t version = 0;
    std::int64_t offset = 0;
    std::int32_t partition = 0;
    friend bool operator<(const Row& a, const Row& b) {
      return std::tie(a.key, a.kind, b.version, b.offset, b.partition) <
             std::tie(b.key, b.kind, a.version, a.offset, a.partition);
    }
  };
  void choose(Position position);

  kafka::Stretches stretches_;
  bool by_verdict_;
  ExternalSort<Row> rows_;
  std::map<Partition, std::vector<bool>> bits_;  ///< from the beginning of the stretch on
  std::uint64_t chosen_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace helsekontakter::tools

#pragma once

#include "adapters/tools/external_sort.h"
#include "worker/domain/bytes.h"
#include "worker/domain/delivery.h"

#include <array>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace helsekontakter::tools {

/// What an audit finds. Lists are cut at AuditMerge::told_max, counts are not.
struct AuditFindings {
  struct Gap {
    Position position;
    bool told_inactive = false;  ///< was told so, and waits nowhere
  };
  struct Twice {
    Position origin;
    std::uint32_t results = 0;
  };
  struct Wandered {
    MemberKey key;
    std::vector<Position> first;  ///< in each partition
  };
  std::uint64_t events = 0;    ///< change events, a repeated one once
  std::uint64_t repeated = 0;  ///< records that hold an event once more
  std::uint64_t concluded = 0;
  std::uint64_t parked = 0;   ///< wait in the ledger
  std::uint64_t waiting = 0;  ///< not concluded, and not settled either
  std::uint64_t gaps = 0;
  std::uint64_t twice = 0;     ///< origins with more than one result that should be one
  std::uint64_t strays = 0;    ///< results whose event is not in the stretch, or no longer there
  std::uint64_t wandered = 0;  ///< keys in several partitions
  std::vector<Gap> first_gaps;
  std::vector<Twice> first_twice;
  std::vector<Wandered> first_wandered;
};

/// Brings together what input, results and ledger say of each change event. An event is known by
/// the id of its terminal result (schemas/README.md), a result also by its origin. Memory does not
/// grow with the topics: everything is sorted outside of it.
class AuditMerge {
 public:
  static constexpr std::size_t told_max = 50;

  /// `inactive_is_final`: there is no ledger in which a member could wait.
  explicit AuditMerge(bool inactive_is_final, std::size_t bytes_max = 24 << 20);

  /// A record of the input. `settled`: the group's committed offset is past it.
  [[nodiscard]] Result<void> add_event(const Uuid& terminal_id, Position position, bool settled,
                                       const std::optional<MemberKey>& key);
  /// A result; `terminal_id` is that of its event, and its own id where it is terminal.
  [[nodiscard]] Result<void> add_result(const Uuid& id, const Uuid& terminal_id, bool is_terminal,
                                        Position origin);
  /// A change that waits in the ledger.
  [[nodiscard]] Result<void> add_parked(const Uuid& terminal_id);

  [[nodiscard]] Result<AuditFindings> conclude();

 private:
  enum class Kind : std::uint8_t { event, terminal, inactive, parked };
  struct Row {
    Uuid id;
    Kind kind{};
    bool settled = false;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    friend bool operator<(const Row& a, const Row& b) {
      return std::tie(a.id.bytes, a.kind, a.partition, a.offset) <
             std::tie(b.id.bytes, b.kind, b.partition, b.offset);
    }
  };
  struct Origin {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    Uuid id;
    bool is_terminal = false;
    friend bool operator<(const Origin& a, const Origin& b) {
      return std::tie(a.partition, a.offset, a.id.bytes, a.is_terminal) <
             std::tie(b.partition, b.offset, b.id.bytes, b.is_terminal);
    }
  };
  struct Seen {
    MemberKey key;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    friend bool operator<(const Seen& a, const Seen& b) {
      return std::tie(a.key, a.partition, a.offset) < std::tie(b.key, b.partition, b.offset);
    }
  };
  struct Group;

  void judge(const Group& group, AuditFindings& findings) const;
  [[nodiscard]] Result<void> judge_events(AuditFindings& findings);
  [[nodiscard]] Result<void> judge_origins(AuditFindings& findings);
  [[nodiscard]] Result<void> judge_keys(AuditFindings& findings);

  bool inactive_is_final_;
  ExternalSort<Row> rows_;
  ExternalSort<Origin> origins_;
  ExternalSort<Seen> keys_;
};

}  // namespace helsekontakter::tools

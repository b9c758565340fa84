#pragma once

#include "adapters/kafka/client.h"
#include "adapters/kafka/settings.h"
#include "worker/domain/delivery.h"
#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace helsekontakter::kafka {

/// A record of a topic; the views live as long as the call that hands it over.
struct TopicRecord {
  Position position;
  std::string_view key;
  bool has_key = false;
  std::string_view value;
  bool is_null = false;
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  WallTime time{};  ///< of the record; nothing where the broker gives none
};

/// Offsets from `from` up to, not including, `to`.
struct Stretch {
  Offset from = 0;
  Offset to = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};
using Stretches = std::map<Partition, Stretch>;
using Offsets = std::map<Partition, Offset>;

/// A topic as the tools read it: a consumer that assigns by hand, joins no group and commits
/// nothing, so it disturbs no worker. Sees committed records only. Every call blocks its caller,
/// at most `quiet_max` beyond the last sign of life.
class TopicLog {
 public:
  struct Where {
    Connection connection;
    std::string password;
    std::string topic;
    std::string group;  ///< whose rights are used, and whose committed offsets are told
    Milliseconds quiet_max{30'000};
    std::size_t fetch_bytes_max = 32 << 20;  ///< fetched ahead, of all partitions together
  };
  /// Refuses a topic that does not exist.
  [[nodiscard]] static Result<TopicLog> open(Where where, const Observer& observer);

  [[nodiscard]] const std::string& topic() const { return where_.topic; }
  [[nodiscard]] std::int32_t partitions() const { return partitions_; }

  /// What is there: from the first record that is left to the end. A transaction that is open
  /// counts, so reading to the end waits for it.
  [[nodiscard]] Result<Stretches> bounds() const;
  /// The first record of each partition that is not older; its end where there is none.
  [[nodiscard]] Result<Offsets> offsets_at(WallTime time) const;
  /// The group's committed offset; a partition without one is left out.
  [[nodiscard]] Result<Offsets> committed() const;

  /// Returns false to end the reading.
  using Visit = std::function<Result<bool>(const TopicRecord&)>;
  /// Hands over the records of the stretches: of one partition in order, the partitions among each
  /// other as they come. True: all of them; false: `visit` or the stop ended it.
  [[nodiscard]] Result<bool> read(const Stretches& stretches, const Visit& visit,
                                  const std::stop_token& stop) const;

 private:
  TopicLog(Where where, Observer observer, SharedClient client, std::int32_t partitions);

  Where where_;
  Observer observer_;
  SharedClient client_;  ///< for questions
  std::int32_t partitions_;
};

}  // namespace helsekontakter::kafka

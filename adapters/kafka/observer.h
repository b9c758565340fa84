#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace helsekontakter::kafka {

enum class Rebalance : std::uint8_t { assigned, revoked, lost };

/// How far a partition is behind, in records; about once a second for each partition of ours.
struct Lag {
  Partition partition{};
  std::int64_t unread = 0;       ///< between what was read and the end
  std::int64_t unconcluded = 0;  ///< between what is durable and the end
};

/// What became of one record (transaction).
struct Recording {
  bool durable = false;
  std::size_t results = 0;
  std::size_t dead_letters = 0;
  std::uint32_t attempts = 0;
  Milliseconds took{};
};

/// Hooks for telemetry. Each may be empty; they are called from the adapter's threads and from
/// librdkafka's, so they must be safe for that, quick, and must not throw.
struct Observer {
  std::function<void(const Lag&)> lag;
  std::function<void(std::size_t records, std::size_t bytes)> read;
  std::function<void(Rebalance, std::size_t partitions)> rebalanced;
  /// A partition is not consumed because what to read next is gone, or keys have moved; false: it
  /// is consumed again.
  std::function<void(Partition, bool held)> held;
  std::function<void(const Recording&)> recorded;
  /// One sentence for a person: what is wrong and what to try.
  std::function<void(const Error&)> trouble;
  /// librdkafka's own log line; level as in syslog (3 error … 7 debug).
  std::function<void(int level, std::string_view line)> log;
};

/// Calls a hook that may be empty.
template <class Hook, class... Arguments>
void tell(const Hook& hook, Arguments&&... arguments) {
  if (hook) hook(std::forward<Arguments>(arguments)...);
}

}  // namespace helsekontakter::kafka

#pragma once

#include "worker/ports/inputs.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace helsekontakter {

/// The one bounded queue at which the adapters' threads meet the core's thread. Any thread may
/// push; one thread takes. Only deliveries count against the limit: every other input answers a
/// command of the core or tells it to let go, so their number is bounded by the core itself.
class Inbox {
 public:
  explicit Inbox(std::size_t delivery_bytes_max) : delivery_bytes_max_(delivery_bytes_max) {}

  /// Never blocks.
  void push(Input input);

  /// Waits until there is room, at most until the deadline. Returns false, leaving the deliveries
  /// where they are, when there is none. One vector is always let in when nothing is waiting, so
  /// that no delivery is too large to pass.
  [[nodiscard]] bool push(std::vector<Delivery>& deliveries,
                          std::chrono::steady_clock::time_point deadline);

  /// Moves everything that waits to `inputs` (replacing what it holds), in the order of the
  /// pushes; waits for the first until the deadline.
  void take(std::vector<Input>& inputs, std::chrono::steady_clock::time_point deadline);

  /// Bytes of the deliveries that wait.
  [[nodiscard]] std::size_t delivery_bytes() const;

 private:
  const std::size_t delivery_bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable room_;
  std::vector<Input> waiting_;
  std::size_t delivery_bytes_ = 0;
};

}  // namespace helsekontakter

#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/time.h"

#include <mutex>
#include <span>
#include <utility>

namespace helsekontakter::amqp {

/// Under which epoch the queue is ours, and whether to believe it: a process that was frozen, or a
/// machine that slept, wakes up with a queue that the broker gave to somebody else meanwhile. The
/// container's thread turns several times a second; when it did not for longer than the idle
/// timeout, nothing is ours until the connection was looked at. Any thread; nothing blocks.
class Ownership {
 public:
  explicit Ownership(Milliseconds silence_max) : silence_max_(silence_max) {}

  void take(Epoch epoch);
  void drop();
  /// The thread turns. False when it slept so long that the connection must not be trusted.
  [[nodiscard]] bool turned();

  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const;

 private:
  const Milliseconds silence_max_;
  mutable std::mutex mutex_;
  bool ours_ = false;
  Epoch epoch_{};
  Milliseconds turned_{};  ///< by a clock that goes on while the machine sleeps
};

}  // namespace helsekontakter::amqp

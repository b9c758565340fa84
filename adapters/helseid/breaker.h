#pragma once

#include "worker/domain/time.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace helsekontakter::helseid {

/// Keeps a permanent fault from being asked for again at once: after each failure in a row it
/// stays open twice as long, 5 s to 5 min, and has the last fault ready. Not thread-safe.
template <class Cause>
class Breaker {
 public:
  static constexpr Milliseconds pause_first{5'000};
  static constexpr Milliseconds pause_max{300'000};

  void trip(Cause cause, TimePoint now) {
    pause_ = fault_ ? std::min(2 * pause_, pause_max) : pause_first;
    open_until_ = now + pause_;
    fault_ = std::move(cause);
  }

  void reset() { fault_.reset(); }

  /// The fault to answer with while it is open; nothing when one may ask.
  [[nodiscard]] const Cause* open(TimePoint now) const {
    return fault_ && now < open_until_ ? &*fault_ : nullptr;
  }

 private:
  std::optional<Cause> fault_;
  Milliseconds pause_ = pause_first;
  TimePoint open_until_{};
};

}  // namespace helsekontakter::helseid

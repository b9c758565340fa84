#pragma once

#include "worker/domain/time.h"

#include <algorithm>

namespace helsekontakter {

/// A token bucket: so many requests a second, and after a rest at most `burst` at once.
class Pace {
 public:
  /// 0 per second: no limit.
  Pace(double per_second, double burst)
      : per_ms_(per_second / 1000), burst_(burst), tokens_(burst) {}

  [[nodiscard]] bool admits(TimePoint now) {
    refill(now);
    return per_ms_ == 0 || tokens_ >= 1;
  }
  void spend() {
    if (per_ms_ != 0) tokens_ -= 1;
  }
  /// When the next token is there.
  [[nodiscard]] TimePoint next(TimePoint now) const {
    if (per_ms_ == 0 || tokens_ >= 1) return now;
    return now + Milliseconds(static_cast<std::int64_t>((1 - tokens_) / per_ms_) + 1);
  }

 private:
  void refill(TimePoint now) {
    if (now > last_) {
      tokens_ = std::min(burst_, tokens_ + per_ms_ * static_cast<double>((now - last_).count()));
      last_ = now;
    }
  }

  double per_ms_;
  double burst_;
  double tokens_;
  TimePoint last_{};
};

}  // namespace helsekontakter

#pragma once

#include "worker/domain/random.h"
#include "worker/domain/time.h"
#include "worker/retry/backoff.h"

#include <cstdint>
#include <string>

namespace helsekontakter {

/// No submissions until a probe succeeds, or (lasting) until a restart or an operator ends it. One
/// probe at a time, with growing pauses between them.
class Hold {
 public:
  /// Begins it, or lets the pause before the next probe grow. Returns true at the beginning.
  bool begin(TimePoint now, const Backoff& backoff, Random& random) {
    const bool begins = !held_;
    held_ = true;
    ++failures_;
    probe_at_ = now + backoff.ceiling(failures_) / 2 + backoff.wait(failures_, random) / 2;
    return begins;
  }
  /// Begins one that no probe ends.
  bool begin_lasting() {
    const bool begins = !lasting_;
    held_ = lasting_ = true;
    return begins;
  }
  /// A request succeeded. Returns true when that ended it.
  bool succeed() {
    failures_ = 0;
    probing_ = false;
    if (!held_ || lasting_) return false;
    held_ = false;
    return true;
  }
  /// The probe under way ended without telling anything.
  void probe_ended() { probing_ = false; }
  void probe_started() { probing_ = true; }

  [[nodiscard]] bool held() const { return held_; }
  [[nodiscard]] bool lasting() const { return lasting_; }
  [[nodiscard]] bool admits(TimePoint now) const {
    return !held_ || (!lasting_ && !probing_ && now >= probe_at_);
  }
  /// When a probe may go; meaningful while held, not lasting and none is under way.
  [[nodiscard]] TimePoint probe_at() const { return probe_at_; }
  [[nodiscard]] bool awaits_probe_time() const { return held_ && !lasting_ && !probing_; }

 private:
  bool held_ = false;
  bool lasting_ = false;
  bool probing_ = false;
  std::uint32_t failures_ = 0;
  TimePoint probe_at_{};
};

}  // namespace helsekontakter

#pragma once

#include "worker/domain/random.h"
#include "worker/domain/time.h"
#include "worker/retry/backoff.h"

#include <cstdint>
#include <string>

namespace helsekontakter {

/// Why a hold lasts: no probe ends it.
enum class Lasting : std::uint8_t { unlisted = 1, paused = 2, brake = 4, by_operator = 8 };

/// No submissions until a probe succeeds, or (lasting) until what it lasts for is mended. One probe
/// at a time, with growing pauses between them.
class Hold {
 public:
  /// Begins it, or lets the pause before the next probe grow. Returns true at the beginning.
  bool begin(TimePoint now, const Backoff& backoff, Random& random) {
    const bool begins = !held();
    held_ = true;
    ++failures_;
    probe_at_ = now + backoff.ceiling(failures_) / 2 + backoff.wait(failures_, random) / 2;
    return begins;
  }
  /// Begins one that no probe ends. Returns true at the beginning of this reason.
  bool begin_lasting(Lasting reason) {
    const auto bit = static_cast<std::uint8_t>(reason);
    const bool begins = (lasting_ & bit) == 0;
    lasting_ = static_cast<std::uint8_t>(lasting_ | bit);
    return begins;
  }
  /// Returns true when nothing holds any more.
  bool end_lasting(Lasting reason) {
    const auto bit = static_cast<std::uint8_t>(reason);
    const bool was = (lasting_ & bit) != 0;
    lasting_ = static_cast<std::uint8_t>(lasting_ & ~bit);
    return was && !held();
  }
  /// The next probe may go at once.
  void probe_now(TimePoint now) { probe_at_ = now; }
  /// A request succeeded. Returns true when that ended it.
  bool succeed() {
    failures_ = 0;
    probing_ = false;
    if (!held_ || lasting()) return false;
    held_ = false;
    return true;
  }
  /// The probe under way ended without telling anything.
  void probe_ended() { probing_ = false; }
  void probe_started() { probing_ = true; }

  [[nodiscard]] bool held() const { return held_ || lasting(); }
  [[nodiscard]] bool lasting() const { return lasting_ != 0; }
  [[nodiscard]] bool admits(TimePoint now) const {
    return !held() || (!lasting() && !probing_ && now >= probe_at_);
  }
  /// When a probe may go; meaningful while held, not lasting and none is under way.
  [[nodiscard]] TimePoint probe_at() const { return probe_at_; }
  [[nodiscard]] bool awaits_probe_time() const { return held_ && !lasting() && !probing_; }

 private:
  bool held_ = false;
  std::uint8_t lasting_ = 0;  ///< bits of Lasting
  bool probing_ = false;
  std::uint32_t failures_ = 0;
  TimePoint probe_at_{};
};

}  // namespace helsekontakter

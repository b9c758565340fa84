#pragma once

#include "worker/domain/time.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

namespace helsekontakter::helseid {

/// How far HelseID's clock is from ours. Any thread.
class ServerClock {
 public:
  /// Assertions are never dated further back than this, however fast our clock runs.
  static constexpr Milliseconds back_dating_max{5'000};

  explicit ServerClock(bool correct) : correct_(correct) {}

  /// An answer dated `date` came to a request sent and answered at these times of our clock.
  /// A date counts whole seconds, so the skew is the least one that explains it.
  std::optional<Milliseconds> observe(std::string_view date, WallTime sent, WallTime received);

  /// What to write into `iat`: our time, corrected if auth.clock_correction says so.
  [[nodiscard]] WallTime corrected(WallTime ours) const;

 private:
  const bool correct_;
  std::atomic<std::int64_t> skew_ms_{0};
};

}  // namespace helsekontakter::helseid

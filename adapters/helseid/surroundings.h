#pragma once

#include "worker/domain/time.h"

#include <cstdint>
#include <functional>
#include <span>

namespace helsekontakter::helseid {

/// Time and chance, given from outside so that tests own them. Called from any thread.
struct Surroundings {
  /// Steady, and counting on while the machine sleeps: a token ends then too.
  std::function<TimePoint()> now;
  std::function<WallTime()> wall;
  std::function<void(std::span<std::uint8_t>)> fill_random;
};

/// The machine's own clocks and OpenSSL's generator.
[[nodiscard]] Surroundings system_surroundings();

}  // namespace helsekontakter::helseid

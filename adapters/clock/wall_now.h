#pragma once

#include "worker/domain/time.h"

#include <chrono>

namespace helsekontakter {

/// What the system's clock says; the core is told the time and never asks.
[[nodiscard]] inline WallTime wall_now() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

}  // namespace helsekontakter

#pragma once

#include "worker/domain/random.h"
#include "worker/domain/time.h"

#include <algorithm>
#include <cstdint>

namespace helsekontakter {

/// Exponential backoff with full jitter: uniform between zero and first * 2^failures, capped. Full
/// jitter keeps replicas that failed together from coming back together.
struct Backoff {
  Milliseconds first{500};
  Milliseconds max{60'000};

  /// The longest wait after so many failures (the first failure is 1).
  [[nodiscard]] Milliseconds ceiling(std::uint32_t failures) const {
    const std::uint32_t doublings = std::min<std::uint32_t>(failures == 0 ? 0 : failures - 1, 30);
    return std::min(max, Milliseconds(first.count() << doublings));
  }

  [[nodiscard]] Milliseconds wait(std::uint32_t failures, Random& random) const {
    const auto bound = static_cast<std::uint64_t>(ceiling(failures).count());
    return Milliseconds(static_cast<std::int64_t>(random.up_to(bound)));
  }
};

}  // namespace helsekontakter

#pragma once

#include <cstdint>

namespace helsekontakter {

/// Expands the one random number of a turn into as many as are needed (SplitMix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

  /// Uniform in [0, bound]; the bias of the remainder does not matter here.
  std::uint64_t up_to(std::uint64_t bound) {
    return bound == ~std::uint64_t{0} ? next() : next() % (bound + 1);
  }

 private:
  std::uint64_t state_;
};

}  // namespace helsekontakter

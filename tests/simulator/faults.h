#pragma once

#include "tests/simulator/config.h"

#include <cstddef>
#include <cstdint>
#include <random>

namespace helsekontakter::simulator {

/// How one well-formed request ends.
enum class Ending : std::uint8_t {
  answer,
  status_500,
  status_502,
  status_503,
  status_504,
  cut_before,
  cut_after,
  cut_late,
  slow_body,
  wrong_count,
  garbage
};

[[nodiscard]] const char* name_of(Ending ending);

/// All chance of the simulator, from one seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : generator_(seed) {}
  void reseed(std::uint64_t seed) { generator_.seed(seed); }

  [[nodiscard]] double uniform();  ///< in [0, 1)
  [[nodiscard]] Ending draw(const ApiFaults& faults);
  [[nodiscard]] Millis draw(const Latency& latency, std::size_t entries);
  [[nodiscard]] Millis up_to(Millis most);

 private:
  std::mt19937_64 generator_;
};

/// Requests per second with a burst of one second's worth.
class Pace {
 public:
  /// False when the request is one too many at this time.
  [[nodiscard]] bool admits(double per_second_max, std::chrono::system_clock::time_point now);

 private:
  double tokens_ = 0;
  double rate_ = 0;
  std::chrono::system_clock::time_point filled_{};
};

}  // namespace helsekontakter::simulator

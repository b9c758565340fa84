#pragma once

#include <chrono>
#include <cstdint>

namespace helsekontakter {

using Milliseconds = std::chrono::milliseconds;

/// The worker's steady time line. It has no now(): the time is an argument, also in the simulation.
struct SteadyTime {
  using duration = Milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SteadyTime>;
  static constexpr bool is_steady = true;
};

/// A point on the steady line, in milliseconds since an arbitrary start.
using TimePoint = SteadyTime::time_point;

/// Civil time (UTC), in milliseconds since 1970; for what is shown or compared with dates.
using WallTime = std::chrono::sys_time<Milliseconds>;

/// What each turn of the core is given of the outside: both clocks and one random number.
struct Turn {
  TimePoint now;
  WallTime wall;
  std::uint64_t random = 0;  ///< uniformly distributed; expanded inside as needed
};

}  // namespace helsekontakter

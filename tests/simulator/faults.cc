#include "tests/simulator/faults.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace helsekontakter::simulator {

const char* name_of(Ending ending) {
  switch (ending) {
    case Ending::answer:
      return "answer";
    case Ending::status_500:
      return "status_500";
    case Ending::status_502:
      return "status_502";
    case Ending::status_503:
      return "status_503";
    case Ending::status_504:
      return "status_504";
    case Ending::cut_before:
      return "cut_before";
    case Ending::cut_after:
      return "cut_after";
    case Ending::cut_late:
      return "cut_late";
    case Ending::slow_body:
      return "slow_body";
    case Ending::wrong_count:
      return "wrong_count";
    case Ending::garbage:
      return "garbage";
  }
  return "?";
}

double Dice::uniform() {
  return static_cast<double>(generator_() >> 11) * 0x1.0p-53;
}

Ending Dice::draw(const ApiFaults& faults) {
  if (faults.sum() <= 0) return Ending::answer;
  double left = uniform();
  for (const auto& [probability, ending] : {std::pair{faults.status_500, Ending::status_500},
                                            {faults.status_502, Ending::status_502},
                                            {faults.status_503, Ending::status_503},
                                            {faults.status_504, Ending::status_504},
                                            {faults.cut_before, Ending::cut_before},
                                            {faults.cut_after, Ending::cut_after},
                                            {faults.cut_late, Ending::cut_late},
                                            {faults.slow_body, Ending::slow_body},
                                            {faults.wrong_count, Ending::wrong_count},
                                            {faults.garbage, Ending::garbage}}) {
    if (left < probability) return ending;
    left -= probability;
  }
  return Ending::answer;
}

Millis Dice::draw(const Latency& latency, std::size_t entries) {
  double ms = latency.base_ms + latency.per_entry_ms * static_cast<double>(entries);
  if (ms > 0 && latency.sigma > 0) {
    // Box-Muller by hand, so that a seed gives the same run with every standard library.
    const double normal =
        std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform());
    ms *= std::exp(latency.sigma * normal);
  }
  return Millis(std::llround(std::min(ms, latency.max_ms)));
}

Millis Dice::up_to(Millis most) {
  return Millis(std::llround(uniform() * static_cast<double>(most.count())));
}

bool Pace::admits(double per_second_max, std::chrono::system_clock::time_point now) {
  if (per_second_max <= 0) return true;
  const double burst = std::max(1.0, per_second_max);
  const double elapsed = std::chrono::duration<double>(now - filled_).count();
  tokens_ = rate_ == per_second_max ? std::min(burst, tokens_ + elapsed * per_second_max) : burst;
  rate_ = per_second_max;
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace helsekontakter::simulator

#include "adapters/helseid/server_clock.h"

#include "adapters/https/date.h"

#include <algorithm>

namespace helsekontakter::helseid {

std::optional<Milliseconds> ServerClock::observe(std::string_view date, WallTime sent,
                                                 WallTime received) {
  const auto theirs = https::parse_date(date);
  if (!theirs) return std::nullopt;
  const Milliseconds least = *theirs - received;
  const Milliseconds most = *theirs + std::chrono::seconds(1) - sent;
  const Milliseconds skew = std::clamp(Milliseconds(0), std::min(least, most), most);
  skew_ms_ = skew.count();
  return skew;
}

WallTime ServerClock::corrected(WallTime ours) const {
  if (!correct_) return ours;
  return ours + std::max(Milliseconds(skew_ms_.load()), -back_dating_max);
}

}  // namespace helsekontakter::helseid

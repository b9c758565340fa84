#pragma once

#include "tests/feed/broker.h"
#include "tests/feed/plan.h"

namespace helsekontakter::feed {

struct Pace {
  double rate = 0;          ///< events per second; 0: as fast as the broker takes them
  std::uint64_t burst = 0;  ///< so many come before it, as fast as the broker takes them
  bool progress = false;
};

struct Fed {
  Planned planned;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
};

/// Feeds them all by an idempotent producer and waits until the broker has them.
[[nodiscard]] Fed produce(const Place& place, const Wishes& wishes, const Pace& pace);

}  // namespace helsekontakter::feed

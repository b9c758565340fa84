#include "adapters/amqp/ownership.h"

#include <algorithm>

#include <time.h>

namespace helsekontakter::amqp {
namespace {

Milliseconds boot_time() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::duration_cast<Milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                  std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

void Ownership::take(Epoch epoch) {
  const std::lock_guard lock(mutex_);
  ours_ = true;
  epoch_ = epoch;
  turned_ = boot_time();
}

void Ownership::drop() {
  const std::lock_guard lock(mutex_);
  ours_ = false;
}

bool Ownership::turned() {
  const Milliseconds now = boot_time();
  const std::lock_guard lock(mutex_);
  const bool in_time = !ours_ || now - turned_ <= silence_max_;
  if (!in_time) ours_ = false;
  turned_ = now;
  return in_time;
}

bool Ownership::still_ours(std::span<const std::pair<Partition, Epoch>> under) const {
  const Milliseconds now = boot_time();
  const std::lock_guard lock(mutex_);
  return ours_ && now - turned_ <= silence_max_ &&
         std::all_of(under.begin(), under.end(), [this](const auto& claim) {
           return claim.first == Partition{0} && claim.second == epoch_;
         });
}

}  // namespace helsekontakter::amqp

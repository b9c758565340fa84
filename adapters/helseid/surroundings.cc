#include "adapters/helseid/surroundings.h"

#include "adapters/clock/wall_now.h"
#include "worker/domain/ensure.h"

#include <ctime>

#include <openssl/rand.h>

namespace helsekontakter::helseid {
namespace {

TimePoint boot_time() {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  return TimePoint(std::chrono::duration_cast<Milliseconds>(std::chrono::seconds(at.tv_sec) +
                                                            std::chrono::nanoseconds(at.tv_nsec)));
}

void fill_random(std::span<std::uint8_t> bytes) {
  // Without randomness no assertion is safe to send; there is nothing to go on with.
  ensure(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
}

}  // namespace

Surroundings system_surroundings() {
  return {.now = boot_time, .wall = wall_now, .fill_random = fill_random};
}

}  // namespace helsekontakter::helseid

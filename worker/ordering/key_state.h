#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/time.h"
#include "worker/ordering/held.h"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace helsekontakter {

/// What is known of one member key. At most one change of it waits (the newest) and at most one is
/// under way; the others hang on one of these two as a chain.
struct KeyState {
  Slots::Slot waiting = Slots::none;
  Slots::Slot in_flight = Slots::none;
  bool concluding = false;  ///< its conclusion is not durable yet
  TimePoint not_before{};   ///< a newer change waits out the settle time
  /// The newest conclusion: while `concluding`, not durable yet.
  std::int64_t concluded_version = -1;
  ContentDigest concluded_content;
  bool remembered = false;  ///< in the queue of idle keys, once; only its turn there erases it

  [[nodiscard]] bool is_excluded() const { return in_flight != Slots::none || concluding; }
  [[nodiscard]] bool is_idle() const { return waiting == Slots::none && !is_excluded(); }
};

using KeyTable = std::unordered_map<MemberKey, KeyState, DigestHash>;

}  // namespace helsekontakter

#pragma once

#include "worker/domain/time.h"
#include "worker/ordering/held.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace helsekontakter {

/// Parked changes of an organisation whose members' digital status is to be asked for, in the order
/// of their arrival, and how asking goes. References whose slot has moved on are skipped.
struct StatusQueue {
  std::deque<Slots::Reference> references;
  bool asking = false;         ///< a question is under way
  std::uint32_t failures = 0;  ///< in a row
  std::size_t most = 0;        ///< members in the next question; 0: as many as may be
  TimePoint not_before{};      ///< after a failure

  /// Drops stale references at the front.
  void trim(const Slots& slots) {
    while (!references.empty() && !slots.holds(references.front())) references.pop_front();
  }
  /// Drops all of them.
  void purge(const Slots& slots) {
    std::erase_if(references, [&](Slots::Reference one) { return !slots.holds(one); });
  }
  [[nodiscard]] std::size_t at_most(std::size_t list_max) const {
    return most == 0 ? list_max : std::min(most, list_max);
  }
};

}  // namespace helsekontakter

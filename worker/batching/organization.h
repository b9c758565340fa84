#pragma once

#include "worker/batching/status_queue.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"
#include "worker/ordering/held.h"
#include "worker/retry/brake.h"
#include "worker/retry/hold.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter {

/// Changes of one lane that are ready, in the order of their arrival. References whose slot has
/// moved on are skipped; `entries` and `bytes` count the live ones.
struct ReadyQueue {
  std::deque<Slots::Reference> references;
  std::size_t changes = 0;
  std::size_t entries = 0;
  std::size_t bytes = 0;

  /// Drops stale references at the front.
  void trim(const Slots& slots) {
    while (!references.empty() && !slots.holds(references.front())) references.pop_front();
  }
};

/// A batch that is submitted again, alone: what is left of it stays together, so that an offender
/// is found by halving.
struct RetryGroup {
  Lane lane = Lane::members;
  std::vector<Slots::Reference> members;
  std::uint32_t failures = 0;  ///< that happened while other requests succeeded
  TimePoint due{};
  std::uint64_t successes = 0;  ///< of the endpoint when it last failed
  bool failed_alone = false;    ///< the last request was of one change, and others succeeded
};

/// Everything about one organisation: its queues, what is in flight, its hold and brake.
struct Organization {
  Organization(OrganizationNumber organization_number, Brake::Limits limits)
      : number(organization_number), read_brake(limits), answer_brake(limits) {}

  OrganizationNumber number;
  std::array<ReadyQueue, lanes> ready;
  std::list<RetryGroup> groups;
  StatusQueue status;
  std::size_t in_flight = 0;
  std::size_t offerings_open = 0;        ///< offering changes at hand and not durably concluded
  std::size_t offerings_told = 0;        ///< offerings that the shared topic calls not concluded
  bool has_offering = false;             ///< an offering of it was accepted once
  bool gate_noticed = false;             ///< its members were parked because of its offerings
  std::optional<TimePoint> gated_since;  ///< nothing but the gate kept its members back since then
  std::uint32_t due_again = 0;           ///< records to come after which what it had put off is due
  std::int64_t deficit = 0;              ///< bytes it may still submit in this round
  bool has_put_off = false;              ///< changes were parked: it was held, or its gate closed
  bool hold_is_heard = false;            ///< another worker found why it is held, we have not
  bool has_let_go = false;               ///< it was said that its findings make room
  bool lacks_token = false;  ///< its last request found no token: HelseID did not answer
  Hold hold;
  Brake read_brake;    ///< of what was read: unusable or not
  Brake answer_brake;  ///< of what was submitted: rejected or not

  [[nodiscard]] bool braked() const { return read_brake.pulled() || answer_brake.pulled(); }

  [[nodiscard]] ReadyQueue& queue(Lane lane) { return ready[static_cast<std::size_t>(lane)]; }
  [[nodiscard]] const ReadyQueue& queue(Lane lane) const {
    return ready[static_cast<std::size_t>(lane)];
  }
  [[nodiscard]] bool has_work() const {
    return ready[0].changes + ready[1].changes > 0 || !groups.empty();
  }
};

}  // namespace helsekontakter

#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/time.h"
#include "worker/ordering/held.h"
#include "worker/ordering/progress.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace helsekontakter {

/// One partition that is ours.
struct PartitionState {
  PartitionState(Epoch its_epoch, PartitionProgress its_progress)
      : epoch(its_epoch), progress(std::move(its_progress)) {}

  Epoch epoch;
  PartitionProgress progress;
  Offset end = 0;                        ///< high watermark at assignment
  Offset reached = 0;                    ///< everything below was delivered, the backlog included
  Offset read_to = 0;                    ///< recovering until everything below is received
  std::optional<TimePoint> quiet_until;  ///< the last owner left an unknown outcome behind
  bool recovering = false;
  std::vector<Slots::Reference> unready;  ///< changes that may not be submitted yet
  std::vector<Slots::Reference> stalled;  ///< findings behind a hold of their organisation
  std::size_t stalled_count = 0;          ///< of those that are still there
  std::size_t stalled_bytes = 0;
  std::deque<Delivery> backlog;  ///< not admitted yet: no room in the memory or the metadata
  std::size_t backlog_bytes = 0;
  std::size_t bytes = 0;  ///< of everything of it that is held, backlog and records included
  std::size_t share = 0;  ///< of the memory budget
  bool paused = false;
  TimePoint paused_since{};
  bool full_noticed = false;
  bool revoking = false;
  std::size_t unrecorded = 0;        ///< conclusions that wait for a record
  bool recording = false;            ///< part of the record under way
  Offset recorded = -1;              ///< committed offset of the last record that was asked for
  Offset submitted_to = 0;           ///< the promise of the last record that was asked for
  Offset submittable_to = 0;         ///< the durable promise: what is below may be submitted
  std::optional<WallTime> next_due;  ///< of its parked changes; may be past
  bool taking_due = false;           ///< parked changes were asked for
  /// Offerings that were accepted once; none: the ledger has not said it yet.
  std::optional<std::set<MemberKey>> accepted_offerings;
  Offset submitted_end = 0;  ///< one more than the highest that was submitted, by us or before us

  [[nodiscard]] bool is_crowded() const { return bytes >= share / 2; }
  /// What the last owner may have submitted is not all here yet. A delivery beyond it that has to
  /// wait says that nothing is missing before it.
  [[nodiscard]] bool is_reading_back() const {
    return progress.received() < read_to &&
           (backlog.empty() || backlog.front().position.offset < read_to);
  }
};

/// What is still under way for a partition's number, under whatever epoch it was sent: a partition
/// that was lost and came back is let go only when the requests of both times are over.
struct PartitionFlights {
  std::size_t in_flight = 0;    ///< changes in requests
  TimePoint unsettled_until{};  ///< a request with unknown outcome may be executed until then
};

}  // namespace helsekontakter

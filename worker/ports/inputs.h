#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/result.h"
#include "worker/ledger/shared.h"
#include "worker/ports/commands.h"
#include "worker/ports/digital_status.h"
#include "worker/ports/ledger.h"
#include "worker/submission/outcome.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What the outside tells the core. Each input says which adapter sends it and what it promises.

namespace helsekontakter {

/// Source: this partition is ours from now on. Deliveries of it follow in order of offset, from
/// `committed` on.
struct Assigned {
  Partition partition{};
  Epoch epoch{};
  Offset committed = 0;                 ///< the first offset that will be delivered
  std::string metadata;                 ///< as committed with it; empty: none
  Offset end = 0;                       ///< high watermark at assignment: nothing above was there
  std::uint32_t partitions_total = 1;   ///< of the topic; shares out the memory budget
  std::uint32_t assigned_together = 1;  ///< partitions of this assignment, for draining
};

/// Source: let go of it. The core ends what is in flight, records it, and answers by release.
struct Revoked {
  Partition partition{};
  Epoch epoch{};
};

/// Source: it is gone already (session over, fenced, or re-read after a failed record). Nothing of
/// it may be published. Requests in flight go on; their keys stay excluded.
struct Lost {
  Partition partition{};
  Epoch epoch{};
};

/// Source: change events, each under its partition's epoch.
struct Delivered {
  std::vector<Delivery> deliveries;
};

/// Source: the partition was read up to here (also when the last records were transaction markers
/// or compacted away). What is below `position` has been delivered.
struct ReachedPosition {
  Partition partition{};
  Epoch epoch{};
  Offset position = 0;
};

/// Source, of a queue: what came now was delivered before, to us or to another. While such comes, a
/// newer change of a member may be among what has not come back yet, and may have been executed; so
/// nothing is submitted until none has come for the settle time. Of an assignment that is
/// unsettled.
struct ComesAgain {
  Partition partition{};
  Epoch epoch{};
};

/// Endpoint: what became of a batch, exactly once for each Submit.
struct Outcome {
  BatchId id{};
  SubmissionOutcome outcome;
  std::optional<WallTime> submitted_at;  ///< when the first byte was written
  Lane lane = Lane::members;
};

/// Endpoint, status API: its clock (the Date header of its last answer) minus ours.
struct ClockSeen {
  enum class Peer : std::uint8_t { endpoint, status_api };
  Peer peer = Peer::endpoint;
  Milliseconds skew{};
};

/// Record: the answer to Record. A failed one has not been, and will never be, seen by a
/// read_committed consumer, or it is not known; either way the partitions are to be read again.
struct Recorded {
  RecordId id{};
  bool durable = false;
};

/// Ledger: its tables are full, or no longer. While they are, nothing more is read; what is held is
/// concluded, which may take the ledger over its limit by as much.
struct LedgerRoom {
  bool full = false;
  std::string limit;  ///< the option that sets it, where it is full
};

/// Operator or time: nothing but the turn itself.
struct Tick {};

/// Stop: finish what is in flight, record it, let go of everything.
struct StopRequested {};

using Input = std::variant<Tick, Assigned, Revoked, Lost, Delivered, ReachedPosition, ComesAgain,
                           Outcome, ClockSeen, Recorded, StopRequested, LedgerAnswers,
                           LedgerOfferings, DueChanges, LedgerRoom, SharedNews, StatusAnswer>;

}  // namespace helsekontakter

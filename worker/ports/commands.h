#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"
#include "worker/ledger/shared.h"
#include "worker/ports/digital_status.h"
#include "worker/ports/ledger.h"
#include "worker/submission/outcome.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// What the core tells the outside to do. Every command that waits is answered by an input
// (ports/inputs.h) later. See worker/README.md for the life of one event.

namespace helsekontakter {

enum class BatchId : std::uint64_t {};
enum class RecordId : std::uint64_t {};

/// How an answer is attributed to an entry of the batch.
struct EntryReference {
  Uuid full_url;
  std::string identifier;  ///< member identifier or service id. Never printed
};

/// To the endpoint port: send this and say what became of it, exactly once, by Outcome.
struct Submit {
  BatchId id{};
  Uuid name;  ///< shown in results and logs; new for each batch
  Lane lane = Lane::members;
  OrganizationNumber organization;
  std::string body;                     ///< the whole Bundle; exactly what was counted
  std::vector<EntryReference> entries;  ///< one for each change, in the order of the body
  std::vector<std::pair<Partition, Epoch>> under;  ///< checked right before the first byte
};

/// How a batch looked when its changes were answered; repeated in each result.
struct BatchFacts {
  Uuid name;
  std::uint32_t entries = 0;
  int http_status = 0;
  WallTime submitted_at{};
  WallTime answered_at{};
};

/// One delivery that is done with: its result and, where it applies, its dead letter.
struct Conclusion {
  OwnedDelivery delivery;  ///< never null
  Verdict verdict = Verdict::accepted;
  Reason reason = Reason::none;
  std::string text;           ///< the endpoint's words: scrubbed, 256 characters at most
  std::string endpoint_code;  ///< the endpoint's own code, where it gave one
  std::string endpoint_event_id;
  std::uint32_t attempt = 0;  ///< requests this change was part of
  std::uint32_t round = 0;    ///< of inactive answers to this change; part of their results' ids
  /// Its delivery waits for a settlement. One that came from the ledger was settled when it was
  /// parked, and its offset may be of an earlier numbering, so that another delivery has it now.
  bool settles = true;
  bool publishes = true;                 ///< no result: it only waits in the ledger from now on
  std::optional<WallTime> next_attempt;  ///< of an inactive one, when it is parked
  std::uint32_t batch = 0;  ///< index in Record::batches; no_batch: it never was in one
  std::uint32_t superseded_by = no_index;  ///< index in Record::conclusions of the successor
  /// The successor, when it is not concluded in the same record. Null: it is, or nobody knows it.
  std::shared_ptr<const ParkedChange> successor;

  static constexpr std::uint32_t no_batch = 0xffffffff;
  static constexpr std::uint32_t no_index = 0xffffffff;
};

/// How far one partition is done, as it becomes durable together with the results.
struct Progress {
  Partition partition{};
  Epoch epoch{};
  Offset committed = 0;  ///< everything below is concluded
  std::string metadata;  ///< ordering/progress.h: what is concluded above, submitted_to, flags
};

/// To the record port: make all of it durable as one (Kafka: one transaction; elsewhere results,
/// then settlements) and answer by Recorded. At most one is under way.
struct Record {
  RecordId id{};
  std::vector<Conclusion> conclusions;
  std::vector<BatchFacts> batches;
  std::vector<Progress> progress;
  std::vector<LedgerWrite> ledger;  ///< only of partitions that stand in `progress`
};

/// Something a person or a metric should know, on a change of state only.
struct Notice {
  enum class Kind : std::uint8_t {
    organization_held,
    organization_released,
    endpoint_held,
    endpoint_released,
    endpoint_paused,  ///< it asked for a pause, and it is a long one
    brake_pulled,
    findings_let_go,  ///< what a held organisation sent and is unusable makes room for the others
    unlisted_organization,
    partition_full,  ///< not read on: waiting changes or the metadata are at their limit
    partition_reading,
    batch_halved,
    outcome_unknown,
    gate_closed,  ///< members wait for an offering
    gate_open,
    ledger_full,  ///< nothing more is read
    ledger_has_room,
    status_unavailable,  ///< nobody says which inactive members have become active; they wait
    status_available,
    clock_wrong,  ///< nothing expires by it
    clock_right,
  };
  Kind kind{};
  std::optional<OrganizationNumber> organization;
  std::optional<Partition> partition;
  std::string text;  ///< what, and what to do; no identity number
};

/// To the source port: what to do about partitions.
struct SourceOrders {
  using Owned = std::pair<Partition, Epoch>;  ///< void when it was assigned anew meanwhile
  std::vector<Owned> pause;                   ///< leave its queue unread
  std::vector<Owned> resume;
  std::vector<Owned> release;     ///< a revoked partition may go now
  std::vector<Partition> reread;  ///< a record failed: assign it anew from the committed offset
};

/// All that one turn of the core asks for.
struct Commands {
  std::vector<Submit> submissions;
  std::optional<Record> record;
  SourceOrders source;
  std::vector<LedgerLookup> look_ups;
  std::vector<MakeDue> make_due;  ///< before take_due
  std::vector<TakeDue> take_due;
  std::vector<ListOfferings> list_offerings;
  std::vector<SharedFact> facts;  ///< for all workers, where there is a shared topic
  std::vector<AskStatus> questions;
  std::vector<Notice> notices;
  std::optional<TimePoint> wake_at;  ///< the earliest time at which a Tick changes anything
  bool finished = false;             ///< a stop was asked for and everything is let go
};

}  // namespace helsekontakter

#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

// The ledger port: what is remembered of each member key, and how the core asks for it. An entry is
// absolute: the last write of a key wins, so reading a stretch of writes twice does no harm. Writes
// travel in a Record (ports/commands.h) and become durable with its results, or never.

namespace helsekontakter {

/// A change that waits in the ledger: everything needed to make its delivery again, also by another
/// worker after a crash. Its own delivery is settled. The parts of `texts` that are kept: all but
/// `detail`; `payload` and `headers` only where the decoder filled them.
struct ParkedChange {
  Change change;  ///< its key is the entry's key
  Texts texts;
  Offset offset = 0;          ///< where it came from, for `origin`; its partition is the entry's
  std::uint32_t attempt = 0;  ///< requests that it was part of
  std::uint32_t round = 0;    ///< of inactive results; part of their ids
  /// Why an inactive one waits. none: it could not be submitted: its organisation is held, or its
  /// retries are exhausted; then no result said that it waits.
  Reason why = Reason::none;
  WallTime due{};  ///< when it is handed out
  WallTime parked_since{};
  std::optional<WallTime> period_end;  ///< it may expire then; none: an open period
  Milliseconds interval{};             ///< between the last two attempts; grows
  /// The time between requests with it alone that failed while others succeeded, since the last
  /// answer. A hold, an outage or a worker that is down between two adds an hour at most.
  Milliseconds failing_for{};
  WallTime failed_at{};  ///< when it was put off after such a request; 1970: after something else
};

/// What the ledger holds of one member key.
struct LedgerEntry {
  static constexpr std::int64_t nothing_concluded = -1;

  /// The newest concluded version. nothing_concluded: only `parked` means anything, and of the
  /// rest `ever_accepted`, `lane` and `organization`.
  std::int64_t version = nothing_concluded;
  EventDigest event;      ///< of that version
  ContentDigest content;  ///< of that version
  Verdict verdict = Verdict::accepted;
  Reason reason = Reason::none;
  std::uint32_t attempt = 0;            ///< kept exactly up to 65 535
  std::chrono::sys_days accepted_on{};  ///< last acceptance of any version; 1970: never
  bool ever_accepted = false;
  Lane lane = Lane::members;
  OrganizationNumber organization;
  /// Shared and constant, so that an entry is copied without its texts. Null: none is parked.
  std::shared_ptr<const ParkedChange> parked;
};

/// Replaces the whole entry of a key, its parked change included: an entry without one lets a
/// change that was parked go. Durable in the same transaction as the results it comes with.
struct LedgerWrite {
  Partition partition{};  ///< of the input; the Kafka ledger has the same number of them
  Epoch epoch{};          ///< of the assignment; void when it is over
  MemberKey key;
  LedgerEntry entry;
};

/// Command, answered by LedgerAnswers: what is known of this key.
struct LedgerLookup {
  Partition partition{};
  Epoch epoch{};
  MemberKey key;
  /// Also hand over the parked change itself, where there is one: to conclude it. Costs a copy.
  bool with_parked = false;
};

/// What a look-up says of a parked change without handing it over.
struct ParkedFacts {
  std::int64_t version = 0;
  EventDigest event;
  ContentDigest content;
  std::uint32_t attempt = 0;
  std::uint32_t round = 0;
  Reason why = Reason::none;
  bool resend = false;
  WallTime due{};
  WallTime parked_since{};
};

struct LedgerAnswer {
  Partition partition{};
  Epoch epoch{};
  MemberKey key;
  std::optional<LedgerEntry> entry;   ///< none: never heard of. `parked` as LedgerLookup says
  std::optional<ParkedFacts> parked;  ///< none: no change is parked
};

/// Input: one answer for each look-up of a command, in its order. A look-up under an older epoch
/// is answered too, by nothing known; the core drops it.
struct LedgerAnswers {
  std::vector<LedgerAnswer> answers;
};

/// Command, answered by DueChanges: hand out parked changes that are due by `until`, the earliest
/// first. What is handed out stays in the ledger and is not handed out again, until a write of its
/// key, or until the partition is assigned anew.
struct TakeDue {
  Partition partition{};
  Epoch epoch{};
  WallTime until{};
  std::size_t at_most = 0;
};

/// Command without an answer: what waits because it could not be submitted is due from now on.
struct MakeDue {
  Partition partition{};
  Epoch epoch{};
  std::optional<OrganizationNumber> organization;  ///< none: of all
  WallTime now{};
  bool inactive_too = false;  ///< also what waits for a member to become active
  std::size_t at_most =
      std::numeric_limits<std::size_t>::max();  ///< those with the fewest attempts
};

/// Command, answered by LedgerOfferings: which offerings were accepted once. Asked for at each
/// assignment, so that a lost word of the shared topic is said again.
struct ListOfferings {
  Partition partition{};
  Epoch epoch{};
};

/// An offering of which some version was accepted once.
struct AcceptedOffering {
  MemberKey key;
  OrganizationNumber organization;
  std::int64_t version = 0;  ///< the newest concluded one
};

/// Input.
struct LedgerOfferings {
  Partition partition{};
  Epoch epoch{};
  std::vector<AcceptedOffering> accepted;
};

/// Input.
struct DueChanges {
  Partition partition{};
  Epoch epoch{};
  std::vector<std::pair<MemberKey, LedgerEntry>> due;  ///< each with its parked change
  std::optional<WallTime> next;  ///< when the next one is due; may be past. None: nothing waits
};

}  // namespace helsekontakter

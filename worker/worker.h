#pragma once

#include "worker/batching/organization.h"
#include "worker/domain/random.h"
#include "worker/ordering/held.h"
#include "worker/ordering/key_state.h"
#include "worker/ordering/partition_state.h"
#include "worker/ports/commands.h"
#include "worker/ports/inputs.h"
#include "worker/ports/settings.h"
#include "worker/retry/backoff.h"
#include "worker/submission/endpoint_health.h"
#include "worker/submission/pace.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace helsekontakter {

/// Figures of this moment, for metrics and for /ready.
struct WorkerStatus {
  std::size_t partitions = 0;
  std::size_t recovering = 0;  ///< partitions that are read before their first submission
  std::size_t changes_held = 0;
  std::size_t keys_at_hand = 0;  ///< of the changes held, and remembered
  std::size_t bytes_held = 0;
  std::size_t requests_in_flight = 0;
  bool endpoint_held = false;
  bool source_braked = false;
  std::vector<OrganizationNumber> organizations_held;
  std::size_t organizations_gated = 0;  ///< their members wait for an offering
  std::size_t partitions_full = 0;  ///< not read on: their share of memory or metadata is used up
  Milliseconds oldest_age{0};       ///< of the oldest change that is not concluded
  std::uint64_t tombstones = 0;     ///< since the start
  std::array<std::uint64_t, lanes> retries{};  ///< changes that went into a further request
};

/// The core: computes and never waits. Things that happened go in, commands come out; the same
/// inputs in the same order give the same commands. One thread drives it. The promises it keeps
/// are those of worker/README.md; tests/simulation holds it to them.
class Worker {
 public:
  explicit Worker(WorkerSettings settings);

  /// Takes the inputs in their order (they are left empty) and says in `commands` what is to be
  /// done now. To be called when inputs are there, and at commands.wake_at.
  void turn(const Turn& turn, std::vector<Input>& inputs, Commands& commands);

  [[nodiscard]] WorkerStatus status() const;

 private:
  using Slot = Slots::Slot;
  using Partitions = std::map<Partition, PartitionState>;

  struct BatchInFlight {
    Organization* organization = nullptr;
    Lane lane = Lane::members;
    Uuid name;
    std::vector<Slot> slots;
    std::uint32_t bundle_entries = 0;
    std::uint32_t failures = 0;          // of its retry group
    std::uint64_t successes_before = 0;  // of the endpoint, at its last failure or at submission
    bool probes_organization = false;
    bool probes_endpoint = false;
    std::size_t bytes = 0;
  };
  /// What the core needs to know of a conclusion, beside the conclusion itself.
  struct Concluding {
    KeyState* frees_key = nullptr;     // the key that waits for it, if any
    Organization* offering = nullptr;  // whose open offering it is, if any
    Partition partition{};
    std::uint32_t bytes = 0;
  };
  struct RecordedPartition {
    Partition partition{};
    Epoch epoch{};
    std::size_t bytes = 0;  // of the conclusions
    Offset submitted_to = 0;
    bool releases = false;
  };
  /// A partition that is ours no more here, but not yet for the source: its requests are under way
  /// or may still be executed, and no record says so to the next owner.
  struct LateRelease {
    Partition partition{};
    Epoch epoch{};
  };
  /// An offering change that a record concludes.
  struct ConcludedOffering {
    Organization* organization = nullptr;  // whose count of open ones falls
    MemberKey key;
    Partition partition{};
    std::int64_t version = 0;
    bool accepted = false;
  };
  /// An offering whose newest change is known and not concluded, at hand or as another said.
  struct OpenOffering {
    OrganizationNumber organization;
    Partition partition{};
    std::int64_t version = 0;
    bool accepted = false;       // once, some version of it
    std::uint32_t insisted = 0;  // times that others were contradicted
  };
  struct RecordUnderWay {
    RecordId id{};
    std::vector<KeyState*> keys;  // that it frees
    std::vector<ConcludedOffering> offerings;
    std::vector<RecordedPartition> partitions;
    std::vector<std::pair<Partition, WallTime>> dues;  // of changes that it parks
  };
  /// Members that the status API is asked about.
  struct Question {
    Organization* organization = nullptr;
    std::vector<Slots::Reference> references;
  };
  struct Timer {
    TimePoint due;
    Slots::Reference reference;
    bool operator<(const Timer& other) const { return due > other.due; }
  };
  struct KeyTimer {
    TimePoint due;
    KeyState* key = nullptr;
    bool operator<(const KeyTimer& other) const { return due > other.due; }
  };

  // intake.cc: partitions come and go; deliveries find their place.
  void take(Assigned& input);
  void take(Revoked& input);
  void take(Lost& input);
  void take(Delivered& input);
  void take(ReachedPosition& input);
  void take(ComesAgain& input);
  void take(Outcome& input);
  void take(ClockSeen& input);
  void take(Recorded& input);
  void take(Tick&) {}
  void take(LedgerAnswers& input);
  void take(LedgerOfferings& input);
  void take(DueChanges& input);
  void take(LedgerRoom& input);
  void take(SharedNews& input);
  void take(StatusAnswer& input);
  void take(StopRequested&) { begin_stop(); }
  void admit(Delivery&& delivery, PartitionState& partition);
  void admit_backlog();
  void admit_change(Slot slot);
  void order(Slot slot);
  void admit_finding(Slot slot);
  [[nodiscard]] bool fits_alone(const Held& held) const;
  void supersede_waiting(KeyState& key, Slot newer);
  void chain(Slot head, Slot older, ChainedAs as);
  void place(Slot slot, KeyState& key);
  void put_in_queue(Slot slot);
  void leave_queue(Slot slot);
  void begin_revoke(Partition number, PartitionState& partition);
  [[nodiscard]] static bool has_room_for(const PartitionState& partition, Offset offset);
  void order_again(std::vector<Slot>& changes);
  void drop_waiting(Partition number, bool lost);
  void drop_from_chains(Partition number, bool lost);
  void forget(Slot slot);
  void drop_partition(Partition number);
  void end_recoveries();
  void place_unready(PartitionState& partition);
  /// What the last owner may have submitted is read, and the next owner will read this one first,
  /// or has it from the ledger. A parked one's offset may be of an earlier numbering (a queue's).
  [[nodiscard]] static bool may_submit(const Held& held, const PartitionState& partition) {
    return !partition.recovering &&
           (held.parked || held.position.offset < partition.submittable_to);
  }
  [[nodiscard]] std::size_t ready_changes() const;
  [[nodiscard]] std::size_t enough_ready() const;
  void regulate_source();
  void begin_stop();

  // dispatch.cc: which batch goes next.
  void dispatch();
  [[nodiscard]] Organization* next_organization();
  struct Candidate {
    Lane lane = Lane::members;
    std::list<RetryGroup>::iterator group;
    bool from_group = false;
  };
  [[nodiscard]] std::optional<Candidate> candidate(Organization& organization);
  [[nodiscard]] std::optional<Candidate> due_group(Organization& organization);
  [[nodiscard]] bool is_eligible(Organization& organization, Lane lane);
  [[nodiscard]] std::vector<Slot> take_group(Organization& organization,
                                             std::list<RetryGroup>::iterator group);
  [[nodiscard]] std::vector<Slot> take_ready(Organization& organization, Lane lane);
  void submit(Organization& organization, Lane lane, std::vector<Slot> slots,
              std::uint32_t failures, std::uint64_t successes_before);
  void put_in_flight(Slot slot, BatchInFlight& batch, Submit& command);
  void run_timers();
  [[nodiscard]] std::optional<TimePoint> next_submission(Organization& organization);
  void set_wake_at();

  // outcomes.cc: what an answer means.
  void judge(BatchInFlight& batch, const Answered& outcome, const Outcome& input);
  void judge(BatchInFlight& batch, const Refused& outcome, const Outcome& input);
  void judge(BatchInFlight& batch, const Unreadable& outcome, const Outcome& input);
  void judge(BatchInFlight& batch, const NotSent& outcome, const Outcome& input);
  void judge(BatchInFlight& batch, const OutcomeUnknown& outcome, const Outcome& input);
  void fail_transiently(BatchInFlight& batch, const std::string& text);
  [[nodiscard]] Milliseconds wait_after(std::uint32_t failures);
  void hold_organization(Organization& organization, const std::string& text);
  void hold_endpoint(bool begins, const std::string& text);
  void release_endpoint(bool ends);
  void release_organization(const BatchInFlight& batch);
  void remember_unknown(BatchInFlight& batch);
  void submit_again(Organization& organization, Lane lane, const std::vector<Slot>& slots,
                    std::uint32_t failures, Milliseconds wait, bool failed_alone = false);
  void submit_in_halves(const BatchInFlight& batch, const std::vector<Slot>& slots,
                        Milliseconds wait);
  [[nodiscard]] bool comes_back(Slot slot);
  [[nodiscard]] bool others_lack_tokens() const;
  std::uint32_t facts_of(const BatchInFlight& batch, const Outcome& input, int http_status);

  // remembering.cc: what the ledger says and is told.
  struct Remembered {
    Verdict verdict = Verdict::accepted;
    Reason reason = Reason::none;
    std::uint32_t round = 0;
    bool publishes = true;
    std::optional<WallTime> next_attempt;
  };
  /// What ends the wait makes it due: a hold's end, an assignment. This is for what nobody ends.
  static constexpr Milliseconds put_off_max{std::chrono::hours(1)};
  static constexpr Milliseconds clock_skew_max{std::chrono::minutes(5)};
  /// A peer that has not answered for so long says nothing of our clock any more.
  static constexpr Milliseconds clock_seen_max{std::chrono::hours(1)};
  struct PeerClock {
    Milliseconds skew{};
    TimePoint seen{};
  };
  /// Parked without a word, because it could not be submitted.
  struct PutOff {
    Milliseconds wait{};
    bool fails_itself = false;  ///< not for a hold or a gate; the wait grows from time to time
    bool failed_alone = false;  ///< it may expire by that
  };
  void ask(Slot slot, KeyState& key);
  void order_asking(KeyState& key);
  static void learn(KeyState& key, Partition partition, LedgerEntry entry);
  [[nodiscard]] bool has_parked_at_hand(const KeyState& key);
  [[nodiscard]] Slot revive(KeyState& key, Partition number, PartitionState& partition);
  [[nodiscard]] bool is_told_by_ledger(Slot slot, KeyState& key);
  Conclusion& repeat(Slot slot, Verdict verdict, Reason reason, std::uint32_t attempt);
  [[nodiscard]] Remembered remember(Slot slot, Verdict verdict, Reason reason,
                                    const std::optional<PutOff>& put_off);
  void write_entry(const Held& held);
  void remember_put_off(const Held& held, const PutOff& how, LedgerEntry& entry, Remembered& told);
  void remember_inactive(const Held& held, Reason reason, LedgerEntry& entry, Remembered& told);
  [[nodiscard]] ParkedChange park(const Held& held, const ParkedChange* before, Reason why);
  void take_due();
  void forget_ledger_of(Partition number, bool lost);

  // parking.cc: what cannot be submitted waits in the ledger.
  void park_waiting();
  void park_queued(Organization& organization, Lane lane);
  void park_groups(Organization& organization);
  [[nodiscard]] bool is_to_park(const Held& held);
  [[nodiscard]] bool fills_source(const Held& held, std::size_t part);
  void stall(Slot slot);
  static void end_stall(const Held& held, PartitionState& partition);
  void let_go_stalled();
  void let_go(Slot slot);
  [[nodiscard]] bool is_tight(const Held& held);
  [[nodiscard]] bool is_overdue(const Held& held);
  void put_off(Slot slot, const PutOff& how);
  [[nodiscard]] ParkedChange put_off(const Held& held, const LedgerEntry& entry,
                                     const PutOff& how) const;
  [[nodiscard]] Milliseconds wait_of_probe(const Hold& hold) const;
  [[nodiscard]] Milliseconds wait_of_exhausted(const Held& held);
  [[nodiscard]] Milliseconds failing_for(const ParkedChange& before) const;
  void make_due(std::optional<OrganizationNumber> organization, bool inactive_too = false,
                std::size_t at_most = MakeDue{}.at_most);
  void end_probe(Organization& organization);
  void bring_other_probes(Organization& organization);
  void make_put_off_due(Organization& organization);
  void make_due_again();
  [[nodiscard]] bool is_gated_for_long(Organization& organization);

  // foretelling.cc: the ledger hears of a change before the endpoint does.
  [[nodiscard]] bool must_foretell(Slot slot);
  void foretell(Slot slot);

  // sharing.cc: what other workers and the operator say.
  void learn(const SharedHold& fact, bool live);
  void learn(const SharedBrake& fact, bool live);
  void learn(const SharedRetryAfter& fact, bool live);
  void learn(const SharedRetryNow& fact, bool live);
  void learn(const SharedOffering& fact, bool live);
  void tell_hold(std::optional<OrganizationNumber> organization, const std::string& why);
  void tell_hold_over(std::optional<OrganizationNumber> organization);
  void learn_found(const SharedHold& fact, bool live);
  void apply_shared(Organization& organization);
  void release_brake(Organization& organization);
  void conclude_stalled(std::optional<OrganizationNumber> organization);
  void tell_released(Organization& organization);
  void pause_endpoint(Milliseconds wait);
  [[nodiscard]] std::string how_to_release() const;
  void tell_source_brake();
  [[nodiscard]] bool is_clock_wrong() const;
  [[nodiscard]] bool is_clock_right() const;

  // gate.cc: members wait for their organisation's offerings.
  [[nodiscard]] bool passes_gate(const Organization& organization, Lane lane) const {
    if (lane == Lane::offerings || settings_.gate == OfferingGate::off) return true;
    return organization.offerings_open + organization.offerings_told == 0 &&
           (settings_.gate == OfferingGate::pending || organization.has_offering);
  }
  void open_offering(Slot slot);
  void note_offering(const ConcludedOffering& offering, bool durable);
  void tell_offering(const MemberKey& key, const OpenOffering& offering, bool concluded);
  void keep_open(const MemberKey& key, const OpenOffering& offering);
  void drop_open(const MemberKey& key);
  void withdraw_offerings(Partition number, PartitionState& partition);
  void note_accepted(OrganizationNumber number);
  void gate_may_open(Organization& organization);
  void notice_gate(Organization& organization);
  [[nodiscard]] bool is_at_hand(const MemberKey& key);

  // asking_status.cc: who has become active.
  [[nodiscard]] bool is_asked_first(const ParkedChange& parked) const;
  [[nodiscard]] WallTime asking_time(WallTime earliest, OrganizationNumber organization) const;
  void gather(Slot slot);
  void ask_status();
  [[nodiscard]] bool is_crowded() const;
  [[nodiscard]] bool is_impeded(const Organization& organization) const;
  [[nodiscard]] std::optional<TimePoint> next_question(const Organization& organization,
                                                       bool crowded) const;
  void put_question(Organization& organization);
  void note_answer(const Question& question, const std::vector<DigitalStatus>& statuses);
  void note_failure(const Question& question, const StatusFailure& failure);
  void set_aside(Organization& organization);
  void wait_unanswered(Slot slot, Milliseconds pause);

  // recording.cc: conclusions become durable.
  void conclude(Slot slot, Verdict verdict, Reason reason, const EntryAnswer& answer,
                std::uint32_t batch);
  void conclude_chain(Slot slot, Verdict verdict, Reason reason, const EntryAnswer& answer,
                      std::uint32_t batch, const std::optional<PutOff>& put_off = {});
  Conclusion& add_conclusion(Slot slot, Verdict verdict, Reason reason, KeyState* frees_key);
  void record();
  [[nodiscard]] bool wants_record() const;
  [[nodiscard]] static bool wants_promise(const PartitionState& partition);
  [[nodiscard]] static Offset promise_of(const PartitionState& partition);
  [[nodiscard]] std::optional<Progress> progress_of(Partition number, PartitionState& partition);
  [[nodiscard]] bool can_release(Partition number, const PartitionState& partition) const;
  void take_into(RecordUnderWay& under_way, Record& record);
  void release_late();
  [[nodiscard]] bool is_quiet(Partition number) const;
  void discard_conclusions_of(Partition number);
  void free_key(KeyState& key);
  void remember_key(KeyState& key);
  void forget_key(KeyState& key);
  void finish();

  Organization& organization_of(OrganizationNumber number);
  void notice(Notice::Kind kind, std::optional<OrganizationNumber> organization,
              std::optional<Partition> partition, std::string text);
  [[nodiscard]] PartitionState* partition_of(Partition number, Epoch epoch);
  void fetch(const Delivery& delivery) const;
  [[nodiscard]] KeyState& key_of(Slot slot) { return *slots_[slot].key; }
  void note(Organization& organization, Brake& brake, bool unusable);
  [[nodiscard]] Backoff backoff() const {
    return {.first = settings_.retry.backoff_first, .max = settings_.retry.backoff_max};
  }

  /// Progress without results (null values, gaps) is recorded this often.
  static constexpr Milliseconds idle_progress_every{1'000};
  /// How far ahead of what is received submissions are promised: an event that comes alone need
  /// not wait for a record. After a crash the next owner reads at most so many more.
  static constexpr Offset promise_stride = 64;

  const WorkerSettings settings_;
  const std::array<std::string, lanes> prefix_;

  // Of the turn under way.
  TimePoint now_{};
  WallTime wall_{};
  Random random_{0};
  Commands* out_ = nullptr;

  Partitions partitions_;
  std::size_t assigned_together_ = 1;  // partitions that the present assignment has
  std::map<Partition, PartitionFlights> flights_;
  Slots slots_;
  KeyTable keys_;
  std::priority_queue<Timer> delayed_;
  std::priority_queue<KeyTimer> settling_keys_;
  std::deque<KeyState*> remembered_keys_;
  std::uint64_t tombstones_ = 0;
  std::array<std::uint64_t, lanes> retries_{};

  std::map<OrganizationNumber, Organization> organizations_;
  std::vector<Organization*> turns_;       // in the order of their first appearance
  std::size_t unlisted_ = 0;               // of organizations_
  Organization* last_unlisted_ = nullptr;  // stands for all that come when there are too many
  std::size_t turn_ = 0;

  EndpointHealth endpoint_;
  Pace pace_;
  Brake source_brake_;
  std::unordered_map<std::uint64_t, BatchInFlight> in_flight_;
  std::uint64_t last_batch_ = 0;
  std::uint64_t last_record_ = 0;
  std::unordered_map<std::uint64_t, Question> questions_;
  std::uint64_t last_question_ = 0;
  TimePoint questions_quiet_until_{};  // the status API asked for quiet

  std::vector<Conclusion> conclusions_;  // wait for the next record
  std::vector<Concluding> concluding_;   // for each of them
  std::vector<LedgerWrite> ledger_writes_;
  std::vector<BatchFacts> batch_facts_;
  std::optional<RecordUnderWay> recording_;
  std::vector<LateRelease> late_releases_;
  std::set<Partition> rereading_;  // dropped after a failed record, not assigned anew yet
  TimePoint recorded_at_{};
  std::optional<TimePoint> park_at_;  // when something more is to be parked
  std::set<OrganizationNumber> held_by_operator_;
  std::set<OrganizationNumber> braked_elsewhere_;
  std::map<MemberKey, OpenOffering> open_offerings_;
  std::set<OrganizationNumber> with_offering_;              // one of theirs was accepted once
  std::set<std::optional<OrganizationNumber>> told_holds_;  // found by workers; none: the endpoint
  SharedAuthor author_ = 0;                                 // ours; chosen in the first turn
  WallTime pause_told_until_{};
  bool ledger_full_ = false;
  std::array<std::optional<PeerClock>, 2> peer_clocks_;  // by ClockSeen::Peer, once seen
  bool clock_wrong_told_ = false;
  bool stopping_ = false;
  bool finished_ = false;
};

}  // namespace helsekontakter

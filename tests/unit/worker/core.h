#pragma once

#include "tests/unit/worker/notation.h"
#include "worker/ledger/ledger.h"
#include "worker/worker.h"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helsekontakter::test {

/// Settings under which nothing waits: no age, no pace, large limits; sio, sit and sammen listed.
[[nodiscard]] WorkerSettings prompt();

/// Shapes: "ada@2 bob@1" for a request; for a record what became of each change, in its order:
/// "ada@2 accepted, ada@1 superseded by ada@2"; "waits": parked without a result;
/// "silently": its result was published before.
[[nodiscard]] std::string shape(const Submit& submit);
[[nodiscard]] std::string shape(const Record& record);

/// Drives one Worker in virtual time and plays its ports; the ledger is the real one, in memory. A
/// verb makes its input, then a turn.
class Core {
 public:
  explicit Core(WorkerSettings settings = prompt());
  /// One that finds what another left in its ledger.
  Core(WorkerSettings settings, ledger::Ledger ledger);

  /// A partition whose promise covers all that follows, so that nothing waits for a first record.
  void assign(std::int32_t partition = 0);
  /// A partition with nothing committed but `mark`; what is below `end` is there already.
  void assign(std::int32_t partition, Offset committed, const ProgressMark& mark, Offset end);
  /// From now on an assignment has so many partitions.
  void assign_together(std::uint32_t partitions) { together_ = partitions; }
  void revoke(std::int32_t partition = 0);
  void lose(std::int32_t partition = 0);
  void stop();
  void deliver(std::string_view events);
  void reach(std::int32_t partition, Offset position);
  /// Another worker or an operator says so.
  void hear(SharedFact fact, bool live = true) {
    input(SharedNews{.facts = {std::move(fact)}, .live = live});
  }
  /// The ledger's tables are at a limit, or have room again.
  void fill_ledger() { input(LedgerRoom{.full = true, .limit = "ledger.parked_max"}); }
  void make_room_in_ledger() { input(LedgerRoom{}); }
  /// The next delivery has this offset; what lies between does not exist.
  void skip_to(Offset position, std::int32_t partition = 0) { next_[partition] = position; }
  /// What came last was delivered before.
  void come_again(std::int32_t partition = 0) {
    input(ComesAgain{Partition{partition}, epochs_[partition]});
  }
  void pass(Milliseconds time);
  /// How long ago the core began.
  [[nodiscard]] Milliseconds time() const { return now_ - TimePoint(Milliseconds(1'000'000)); }

  /// What is in flight, oldest first: "ada@1 bob@1 | cleo@1".
  [[nodiscard]] std::string requests() const;
  [[nodiscard]] const Submit& request(std::size_t index = 0) const { return requests_.at(index); }
  [[nodiscard]] std::size_t in_flight() const { return requests_.size(); }
  /// Ends the oldest request.
  void answer(SubmissionOutcome outcome);
  /// Ends the oldest request that holds `event`.
  void answer(std::string_view event, SubmissionOutcome outcome);
  /// Ends the oldest request with 200 for each entry, but those named: {{"bob@1", 503}}.
  void accept(const std::map<std::string, int>& others = {});
  void accept_all();
  /// Answers as `judge` says until nothing is in flight, letting time pass; gives what was sent.
  std::vector<std::string> serve(const std::function<SubmissionOutcome(const Submit&)>& judge,
                                 std::size_t requests_max = 100);

  /// The record under way becomes durable; its shape, or "nothing".
  std::string record();
  /// Records until there is nothing to record; the shapes joined by ", ".
  std::string record_all();
  void fail_record();
  /// Ends the oldest request: its members are not digitally active.
  void say_inactive();

  /// The members that are asked about, a question after the other: "ada bob | cleo". Sorted.
  [[nodiscard]] std::string questions() const;
  /// Ends the oldest question: these are active, these not spoken of, all others inactive.
  void say_active(const std::set<std::string>& active, const std::set<std::string>& unsaid = {});
  void fail_question(StatusFailure::Kind kind, std::optional<Milliseconds> retry_after = {});

  [[nodiscard]] const Record& recording() const { return record_.value(); }
  [[nodiscard]] bool is_recording() const { return record_.has_value(); }
  /// The mark of a partition as it was made durable last.
  [[nodiscard]] ProgressMark mark(std::int32_t partition = 0) const;
  [[nodiscard]] Offset committed(std::int32_t partition = 0) const;

  /// What is remembered, for another; nothing may be asked of this one any more.
  [[nodiscard]] ledger::Ledger take_ledger() { return std::move(ledger_); }
  /// What the core wants all workers to know, so far.
  [[nodiscard]] const std::vector<SharedFact>& facts() const { return facts_; }
  [[nodiscard]] bool noticed(Notice::Kind kind) const { return notices(kind) > 0; }
  [[nodiscard]] std::size_t notices(Notice::Kind kind) const;
  [[nodiscard]] const SourceOrders& orders() const { return orders_; }  ///< all so far
  [[nodiscard]] std::optional<Milliseconds> wakes_in() const;
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] WorkerStatus status() const { return worker_.status(); }
  void see_clock(ClockSeen::Peer peer, Milliseconds skew) { input(ClockSeen{peer, skew}); }
  /// From now on the endpoint's clock is so much ahead of ours; nothing: it does not say.
  void set_clock_skew(std::optional<Milliseconds> skew) { clock_skew_ = skew; }
  /// From now on the ledger answers no look-up.
  void silence_ledger() { is_ledger_silent_ = true; }
  /// From now on the ledger is slow to say what is due; and now it says what it knew when asked.
  void let_due_wait() { due_waits_ = true; }
  void answer_due() {
    due_waits_ = false;
    for (Input& answer : std::exchange(due_answers_, {})) inputs_.push_back(std::move(answer));
    turn();
  }
  void forget_orders() { orders_ = {}; }

 private:
  template <class OneInput>
  void input(OneInput one) {
    inputs_.emplace_back(std::move(one));
    turn();
  }
  void turn();
  void see_clock(ClockSeen::Peer peer);
  void end_request(std::size_t index, SubmissionOutcome outcome);

  Worker worker_;
  ledger::Ledger ledger_;
  TimePoint now_{Milliseconds(1'000'000)};
  std::vector<Input> inputs_;
  std::deque<Submit> requests_;
  std::deque<AskStatus> questions_;
  std::optional<Record> record_;
  std::map<std::int32_t, Epoch> epochs_;
  std::uint32_t together_ = 1;
  std::map<std::int32_t, Offset> next_;
  std::map<std::int32_t, Progress> durable_;
  std::optional<Milliseconds> clock_skew_ = Milliseconds{0};
  bool is_ledger_silent_ = false;
  bool due_waits_ = false;
  std::vector<Input> due_answers_;
  std::vector<Notice> notices_;
  std::vector<SharedFact> facts_;
  SourceOrders orders_;
  std::optional<TimePoint> wake_at_;
  bool finished_ = false;
  std::uint64_t turns_ = 0;
};

[[nodiscard]] SubmissionOutcome refused(int status, std::string code = "");
[[nodiscard]] SubmissionOutcome unknown();
/// 200 for each entry of the request, but those named.
[[nodiscard]] SubmissionOutcome answered(const Submit& submit,
                                         const std::map<std::string, int>& others = {});

}  // namespace helsekontakter::test

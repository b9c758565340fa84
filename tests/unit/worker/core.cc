#include "tests/unit/worker/core.h"

#include <algorithm>
#include <stdexcept>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using Field = Texts::Field;

std::string_view reason_code(Reason reason) {
  return reason == Reason::none ? "" : entry_of(reason).code;
}

/// Entries are written "{ada@1}", so a body tells its events in their order.
std::vector<std::string> events_in(const Submit& submit) {
  std::vector<std::string> events;
  for (std::size_t at = 0; (at = submit.body.find('{', at)) != std::string::npos; ++at) {
    const auto end = submit.body.find_first_of("{}", at + 1);
    const std::string text = submit.body.substr(at + 1, end - at - 1);
    if (text.find('@') != std::string::npos && text.find('"') == std::string::npos) {
      events.push_back(text);
    }
  }
  return events;
}

std::string joined(const std::vector<std::string>& parts, std::string_view by) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += by;
    text += part;
  }
  return text;
}

std::string text_of(const Texts& texts) {
  const std::string id(texts[Field::id]);
  return id.empty() ? "?" : id;
}

std::string text_of(const Conclusion& conclusion) {
  return text_of(conclusion.delivery->texts);
}

}  // namespace

WorkerSettings prompt() {
  WorkerSettings settings;
  settings.batch.age_max = 0ms;
  settings.api.requests_per_second_max = 0;
  for (const auto* name : {"sio", "sit", "sammen"}) settings.organizations[organization(name)] = {};
  return settings;
}

std::string shape(const Submit& submit) {
  return joined(events_in(submit), " ");
}

std::string shape(const Record& record) {
  std::vector<std::string> parts;
  for (const Conclusion& conclusion : record.conclusions) {
    const bool waits = !conclusion.publishes && conclusion.reason == Reason::none;
    std::string part =
        text_of(conclusion) + " " + (waits ? "waits" : std::string(name(conclusion.verdict)));
    if (conclusion.superseded_by != Conclusion::no_index) {
      part += " by " + text_of(record.conclusions.at(conclusion.superseded_by));
    }
    if (conclusion.successor) part += " by " + text_of(conclusion.successor->texts);
    if (conclusion.reason != Reason::none && conclusion.reason != Reason::newer_version) {
      part += " (" + std::string(reason_code(conclusion.reason)) + ")";
    }
    if (!conclusion.publishes && !waits) part += " silently";
    parts.push_back(std::move(part));
  }
  return joined(parts, ", ");
}

SubmissionOutcome refused(int status, std::string code) {
  return Refused{status, EntryAnswer{.status = status, .code = std::move(code)}, std::nullopt};
}

SubmissionOutcome unknown() {
  return OutcomeUnknown{"cut"};
}

SubmissionOutcome answered(const Submit& submit, const std::map<std::string, int>& others) {
  Answered answer;
  for (const std::string& event : events_in(submit)) {
    const auto other = others.find(event);
    answer.entries.push_back({.status = other == others.end() ? 200 : other->second});
  }
  return answer;
}

Core::Core(WorkerSettings settings) : Core(settings, ledger::Ledger(settings.form)) {}

Core::Core(WorkerSettings settings, ledger::Ledger ledger)
    : worker_(std::move(settings)), ledger_(std::move(ledger)) {}

void Core::assign(std::int32_t partition) {
  ProgressMark mark;
  mark.submitted_to = 1'000'000;
  mark.clean = true;
  assign(partition, 0, mark, 0);
}

void Core::assign(std::int32_t partition, Offset committed, const ProgressMark& mark, Offset end) {
  const Epoch epoch{static_cast<std::uint64_t>(epochs_[partition]) + 1};
  epochs_[partition] = epoch;
  next_[partition] = committed;
  auto table = ledger_.release(Partition{partition});
  ledger_.assign(Partition{partition}, epoch, table ? std::move(*table) : ledger::LedgerTable());
  input(Assigned{.partition = Partition{partition},
                 .epoch = epoch,
                 .committed = committed,
                 .metadata = encode(mark, committed),
                 .end = end,
                 .partitions_total = 1,
                 .assigned_together = together_});
}

void Core::revoke(std::int32_t partition) {
  input(Revoked{Partition{partition}, epochs_[partition]});
}

void Core::lose(std::int32_t partition) {
  input(Lost{Partition{partition}, epochs_[partition]});
}

void Core::stop() {
  input(StopRequested{});
}

void Core::deliver(std::string_view text) {
  Delivered delivered;
  for (const Event& event : events(text)) {
    delivered.deliveries.push_back(
        delivery(event, next_[event.partition]++, epochs_[event.partition]));
  }
  input(std::move(delivered));
}

void Core::reach(std::int32_t partition, Offset position) {
  next_[partition] = position;
  input(ReachedPosition{Partition{partition}, epochs_[partition], position});
}

void Core::pass(Milliseconds time) {
  now_ += time;
  input(Tick{});
}

std::string Core::requests() const {
  std::vector<std::string> shapes;
  for (const Submit& request : requests_) shapes.push_back(shape(request));
  return joined(shapes, " | ");
}

void Core::answer(SubmissionOutcome outcome) {
  end_request(0, std::move(outcome));
}

void Core::answer(std::string_view event, SubmissionOutcome outcome) {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const auto events = events_in(requests_[i]);
    if (std::find(events.begin(), events.end(), event) == events.end()) continue;
    end_request(i, std::move(outcome));
    return;
  }
  throw std::invalid_argument("not in flight: " + std::string(event));
}

void Core::accept(const std::map<std::string, int>& others) {
  end_request(0, answered(requests_.at(0), others));
}

void Core::accept_all() {
  for (std::size_t left = requests_.size(); left > 0; --left) accept();
}

std::vector<std::string> Core::serve(const std::function<SubmissionOutcome(const Submit&)>& judge,
                                     std::size_t requests_max) {
  std::vector<std::string> sent;
  for (int quiet = 0; quiet < 50 && sent.size() < requests_max;) {
    if (requests_.empty()) {
      ++quiet;
      (void)record_all();
      pass(wakes_in().value_or(1'000ms));
      continue;
    }
    quiet = 0;
    sent.push_back(shape(requests_.front()));
    answer(judge(requests_.front()));
    (void)record_all();
    pass(50ms);
  }
  return sent;
}

std::string Core::record() {
  if (!record_) return "nothing";
  const Record record = std::move(*record_);
  record_.reset();
  for (const Progress& progress : record.progress) {
    durable_[static_cast<std::int32_t>(progress.partition)] = progress;
  }
  ledger_.apply(record.ledger);
  input(Recorded{record.id, true});
  return shape(record);
}

std::string Core::record_all() {
  std::vector<std::string> shapes;
  while (record_) {
    if (auto one = record(); !one.empty()) shapes.push_back(std::move(one));
  }
  return joined(shapes, ", ");
}

void Core::say_inactive() {
  Answered answer;
  answer.entries.assign(requests_.at(0).entries.size(),
                        {.status = 400, .fault = true, .code = "2118"});
  end_request(0, std::move(answer));
}

std::string Core::questions() const {
  std::vector<std::string> shapes;
  for (const AskStatus& question : questions_) {
    std::vector<std::string> members = question.identifiers;
    std::sort(members.begin(), members.end());
    shapes.push_back(joined(members, " "));
  }
  return joined(shapes, " | ");
}

void Core::say_active(const std::set<std::string>& active, const std::set<std::string>& unsaid) {
  const AskStatus question = questions_.at(0);
  questions_.pop_front();
  StatusAnswer answer{.id = question.id, .statuses = {}, .failure = {}};
  for (const std::string& member : question.identifiers) {
    const bool said = !unsaid.contains(member);
    answer.statuses.push_back(active.contains(member) ? DigitalStatus::active
                              : said                  ? DigitalStatus::inactive
                                                      : DigitalStatus::unknown);
  }
  see_clock(ClockSeen::Peer::status_api);
  input(std::move(answer));
}

void Core::fail_question(StatusFailure::Kind kind, std::optional<Milliseconds> retry_after) {
  const StatusId id = questions_.at(0).id;
  questions_.pop_front();
  input(StatusAnswer{
      .id = id, .statuses = {}, .failure = StatusFailure{kind, "as told", retry_after}});
}

void Core::fail_record() {
  const RecordId id = record_.value().id;
  record_.reset();
  input(Recorded{id, false});
}

ProgressMark Core::mark(std::int32_t partition) const {
  const Progress& progress = durable_.at(partition);
  return decode(progress.metadata, progress.committed).value();
}

Offset Core::committed(std::int32_t partition) const {
  const auto found = durable_.find(partition);
  return found == durable_.end() ? 0 : found->second.committed;
}

std::size_t Core::notices(Notice::Kind kind) const {
  return static_cast<std::size_t>(
      std::count_if(notices_.begin(), notices_.end(),
                    [kind](const Notice& notice) { return notice.kind == kind; }));
}

std::optional<Milliseconds> Core::wakes_in() const {
  if (!wake_at_) return std::nullopt;
  return *wake_at_ - now_;
}

void Core::turn() {
  Commands commands;
  worker_.turn({.now = now_, .wall = WallTime(now_.time_since_epoch()), .random = ++turns_},
               inputs_, commands);
  for (Submit& submit : commands.submissions) requests_.push_back(std::move(submit));
  for (AskStatus& question : commands.questions) questions_.push_back(std::move(question));
  if (commands.record) record_ = std::move(commands.record);
  const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(notices_, commands.notices);
  append(facts_, commands.facts);
  append(orders_.pause, commands.source.pause);
  append(orders_.resume, commands.source.resume);
  append(orders_.release, commands.source.release);
  append(orders_.reread, commands.source.reread);
  if (!commands.look_ups.empty() && !is_ledger_silent_)
    inputs_.emplace_back(ledger_.look_up(commands.look_ups));
  for (const ListOfferings& command : commands.list_offerings) {
    inputs_.emplace_back(ledger_.list_offerings(command));
  }
  for (const MakeDue& command : commands.make_due) ledger_.make_due(command);
  for (const TakeDue& command : commands.take_due) {
    (due_waits_ ? due_answers_ : inputs_).emplace_back(ledger_.take_due(command));
  }
  if (!inputs_.empty()) {
    turn();
    return;
  }
  wake_at_ = commands.wake_at;
  finished_ = commands.finished;
}

/// Each answer has a Date header, which comes before it.
void Core::see_clock(ClockSeen::Peer peer) {
  if (clock_skew_) inputs_.emplace_back(ClockSeen{peer, *clock_skew_});
}

void Core::end_request(std::size_t index, SubmissionOutcome outcome) {
  const BatchId id = requests_.at(index).id;
  requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(index));
  see_clock(ClockSeen::Peer::endpoint);
  input(Outcome{.id = id, .outcome = std::move(outcome), .submitted_at = std::nullopt});
}

}  // namespace helsekontakter::test

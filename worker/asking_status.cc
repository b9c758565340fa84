// Asking for the digital status: a parked change of an inactive member is submitted only when its
// member is said to be active now. What nobody says of a member is no verdict: it waits on.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
namespace {

/// Times at which inactive members are due lie so many to the first interval apart, so that they
/// come together and fill their questions.
constexpr std::int64_t times_in_interval = 10;
/// What came alone waits at most so long for more.
constexpr Milliseconds gathering_max{60'000};

}  // namespace

bool Worker::is_asked_first(const ParkedChange& parked) const {
  return settings_.digital_status.enabled && parked.change.lane == Lane::members &&
         parked.why != Reason::none && entry_of(parked.why).verdict == Verdict::inactive;
}

/// The next of the organisation's times of asking: the same for every worker and partition, others
/// than those of other organisations.
WallTime Worker::asking_time(WallTime earliest, OrganizationNumber organization) const {
  const std::int64_t apart =
      std::max<std::int64_t>(1, settings_.member.inactive_retry.count() / times_in_interval);
  const std::int64_t phase = organization.number() % apart;
  const std::int64_t since = earliest.time_since_epoch().count() - phase;
  return WallTime(Milliseconds((since + apart - 1) / apart * apart + phase));
}

void Worker::gather(Slot slot) {
  slots_[slot].organization->status.references.push_back(slots_.place(slot, Place::gathered));
}

void Worker::ask_status() {
  if (!settings_.digital_status.enabled || stopping_) return;
  const bool crowded = is_crowded();
  (void)pace_.admits(now_);  // next_question() asks when, not whether
  for (Organization* organization : turns_) {
    StatusQueue& queue = organization->status;
    queue.trim(slots_);
    if (queue.references.empty()) continue;
    const std::size_t list_max = settings_.digital_status.list_max;
    if (queue.references.size() >= list_max && !queue.asking) queue.purge(slots_);
    const bool too_many = crowded || queue.references.size() > list_max;
    if (too_many && is_impeded(*organization)) set_aside(*organization);
    const auto time = next_question(*organization, crowded);
    if (time && *time <= now_) put_question(*organization);
  }
}

/// Half of some partition's memory is in use: the rest is for what is read.
bool Worker::is_crowded() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& entry) { return entry.second.is_crowded(); });
}

/// Nothing can be asked for the organisation now, or it would be of no use.
bool Worker::is_impeded(const Organization& organization) const {
  return organization.status.failures > 0 || organization.hold.held() || endpoint_.held();
}

/// When the organisation's next question may go; nothing where an input must come first.
std::optional<TimePoint> Worker::next_question(const Organization& organization,
                                               bool crowded) const {
  const StatusQueue& queue = organization.status;
  const Hold& hold = organization.hold;
  if (queue.references.empty() || queue.asking ||
      questions_.size() >= settings_.api.in_flight_max || endpoint_.awaits_probe_end() ||
      (hold.held() && !hold.awaits_probe_time())) {
    return std::nullopt;
  }
  const bool full = queue.references.size() >= queue.at_most(settings_.digital_status.list_max);
  const Milliseconds patience = std::min(gathering_max, settings_.member.inactive_retry / 100);
  const TimePoint ripe = full || crowded || queue.failures > 0
                             ? now_
                             : slots_[queue.references.front().slot].since + patience;
  return std::max(
      {ripe, queue.not_before, questions_quiet_until_, endpoint_.opens_at(), pace_.next(now_)});
}

void Worker::put_question(Organization& organization) {
  StatusQueue& queue = organization.status;
  const std::size_t most = queue.at_most(settings_.digital_status.list_max);
  Question question{.organization = &organization, .references = {}};
  AskStatus command{.id = StatusId{++last_question_},
                    .organization = organization.number,
                    .identifiers = {},
                    .under = {}};
  for (; !queue.references.empty() && question.references.size() < most;
       queue.references.pop_front()) {
    const Slots::Reference reference = queue.references.front();
    if (!slots_.holds(reference)) continue;
    const Held& held = slots_[reference.slot];
    question.references.push_back(reference);
    command.identifiers.emplace_back(held.delivery->texts[Texts::Field::identifier]);
    const std::pair under{held.position.partition, held.epoch};
    if (std::find(command.under.begin(), command.under.end(), under) == command.under.end()) {
      command.under.push_back(under);
    }
  }
  queue.asking = true;
  pace_.spend();
  questions_.emplace(last_question_, std::move(question));
  out_->questions.push_back(std::move(command));
}

void Worker::take(StatusAnswer& input) {
  const auto found = questions_.find(static_cast<std::uint64_t>(input.id));
  ensure(found != questions_.end());
  const Question question = std::move(found->second);
  questions_.erase(found);
  question.organization->status.asking = false;
  if (input.failure) {
    note_failure(question, *input.failure);
  } else {
    note_answer(question, input.statuses);
  }
}

void Worker::note_answer(const Question& question, const std::vector<DigitalStatus>& statuses) {
  ensure(statuses.size() == question.references.size());
  StatusQueue& queue = question.organization->status;
  if (queue.most > 0) queue.most = std::min(queue.most * 2, settings_.digital_status.list_max);
  if (std::exchange(queue.failures, 0) > 0) {
    notice(Notice::Kind::status_available, question.organization->number, std::nullopt,
           "inactive members of organisation " + question.organization->number.digits() +
               " are asked for again");
  }
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const Slots::Reference reference = question.references[i];
    if (!slots_.holds(reference)) continue;  // a newer change came, or the partition went
    const Slot slot = reference.slot;
    KeyState& key = key_of(slot);
    ensure(key.waiting == slot && !key.is_excluded());
    const bool parked = key.ledger && key.ledger->parked;
    if (statuses[i] == DigitalStatus::active || !parked) {
      slots_[slot].ask_first = false;
      slots_[slot].since = now_;
      place(slot, key);
    } else if (statuses[i] == DigitalStatus::inactive) {
      key.waiting = Slots::none;
      conclude_chain(slot, Verdict::inactive, key.ledger->parked->why, {}, Conclusion::no_batch);
    } else {
      wait_unanswered(slot, key.ledger->parked->interval);
    }
  }
}

/// They are asked for again, first of all. A list that is refused is halved, until the number that
/// is the reason stands alone and waits.
void Worker::note_failure(const Question& question, const StatusFailure& failure) {
  Organization& organization = *question.organization;
  StatusQueue& queue = organization.status;
  std::vector<Slot> slots;
  for (const Slots::Reference reference : question.references) {
    if (slots_.holds(reference)) slots.push_back(reference.slot);
  }
  const auto& parked_of = [this](Slot slot) { return key_of(slot).ledger->parked; };
  if (failure.kind == StatusFailure::Kind::refused_list) {
    queue.most = std::max<std::size_t>(1, question.references.size() / 2);
    if (question.references.size() == 1 && !slots.empty() && key_of(slots[0]).ledger &&
        parked_of(slots[0])) {
      wait_unanswered(slots[0], parked_of(slots[0])->interval);
      slots.clear();
    }
  }
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    queue.references.push_front(slots_.place(*slot, Place::gathered));
  }
  if (failure.retry_after) {
    questions_quiet_until_ = std::max(questions_quiet_until_, now_ + *failure.retry_after);
  }
  if (failure.kind == StatusFailure::Kind::withheld) {
    queue.not_before = now_ + settings_.retry.backoff_first;
    return;
  }
  ++queue.failures;
  queue.not_before = now_ + backoff().wait(queue.failures, random_);
  if (queue.failures > 1) return;
  notice(Notice::Kind::status_unavailable, organization.number, std::nullopt,
         "inactive members of organisation " + organization.number.digits() +
             " cannot be asked for and wait (digital_status.*): " + failure.text);
}

/// What cannot be asked for now, and has no room to wait here, waits in the ledger.
void Worker::set_aside(Organization& organization) {
  StatusQueue& queue = organization.status;
  const auto& member = settings_.member;
  const Milliseconds pause =
      std::max(settings_.retry.backoff_max, member.inactive_retry / times_in_interval);
  std::deque<Slots::Reference> kept;
  for (const Slots::Reference reference : std::exchange(queue.references, {})) {
    if (!slots_.holds(reference)) continue;
    const Held& held = slots_[reference.slot];
    const KeyState& key = *held.key;
    const PartitionState* partition = partition_of(held.position.partition, held.epoch);
    const bool has_room = kept.size() < settings_.digital_status.list_max && partition != nullptr &&
                          !partition->is_crowded();
    if (has_room || !key.ledger || !key.ledger->parked) {
      kept.push_back(reference);
    } else {
      wait_unanswered(reference.slot, std::min(pause, key.ledger->parked->interval));
    }
  }
  queue.references = std::move(kept);
}

/// The change is parked as it was, to be asked for later: no verdict, no round, no result.
void Worker::wait_unanswered(Slot slot, Milliseconds pause) {
  const OrganizationNumber organization = slots_[slot].change().organization;
  put_off(slot, {.wait = asking_time(wall_ + pause, organization) - wall_});
}

}  // namespace helsekontakter

// Parking: what cannot be submitted waits in the ledger, so that its delivery can be settled.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
namespace {

/// For those that are to come back as the hold's next probe.
constexpr Milliseconds probe_soon{1'000};

}  // namespace

/// Changes of an organisation that is held or whose gate is closed, and entries that fail by
/// themselves. While the endpoint is held nothing goes ahead, so nothing is parked to make way: the
/// backlog stays in the topic.
void Worker::park_waiting() {
  park_at_.reset();
  if (!settings_.ledger.enabled || stopping_) return;
  for (Organization* organization : turns_) {
    const bool held = organization->hold.held();
    if (held) {
      for (const Lane lane : {Lane::offerings, Lane::members}) park_queued(*organization, lane);
    }
    if (is_gated_for_long(*organization)) park_queued(*organization, Lane::members);
    if (held || !endpoint_.held()) park_groups(*organization);
  }
}

/// Some of a held organisation's changes are to be at hand as probes: a batch that failed, or
/// parked changes that came back. Members in front of a closed gate need none.
void Worker::park_queued(Organization& organization, Lane lane) {
  ReadyQueue& queue = organization.queue(lane);
  queue.trim(slots_);
  if (queue.changes == 0) return;
  const auto& references = queue.references;
  const bool held = organization.hold.held();
  const bool has_probe = !held || organization.hold.lasting() || !organization.groups.empty() ||
                         std::any_of(references.begin(), references.end(), [&](const auto& one) {
                           return slots_.holds(one) && slots_[one.slot].parked &&
                                  !is_tight(slots_[one.slot]);  // else it is put off here
                         });
  std::size_t probes = has_probe ? 0 : settings_.batch.entries_max;
  for (std::size_t i = 0; i < references.size(); ++i) {
    if (!slots_.holds(references[i])) continue;
    const Slot slot = references[i].slot;
    if (!is_to_park(slots_[slot])) {
      if (slots_[slot].parked) continue;
      break;  // the others are younger
    }
    leave_queue(slot);
    organization.has_put_off = true;
    if (!held) notice_gate(organization);
    put_off(slot, {.wait = probes > 0 ? wait_of_probe(organization.hold) : put_off_max});
    if (probes > 0) --probes;
  }
  queue.trim(slots_);
}

void Worker::park_groups(Organization& organization) {
  const bool held = organization.hold.held();
  for (auto group = organization.groups.begin(); group != organization.groups.end();) {
    auto& members = group->members;
    const bool exhausted = group->failures >= settings_.retry.attempts_max && members.size() == 1;
    std::erase_if(members, [&](const Slots::Reference& reference) {
      if (!slots_.holds(reference)) return true;
      const Held& waiting = slots_[reference.slot];
      // One that failed goes again soon; it is in nobody's way yet, however little room there is.
      const bool fails_for_long = group->failures > 0 && is_overdue(waiting);
      if (!exhausted && !fails_for_long && !(held && is_to_park(waiting))) return false;
      organization.has_put_off = organization.has_put_off || held;
      put_off(reference.slot,
              {.wait = held ? wait_of_probe(organization.hold) : wait_of_exhausted(waiting),
               .fails_itself = !held,
               .failed_alone = !held && exhausted && group->failed_alone});
      return true;
    });
    group = members.empty() ? organization.groups.erase(group) : std::next(group);
  }
}

/// A finding behind a hold waits here: it has no key, so the ledger cannot take it.
void Worker::stall(Slot slot) {
  const Held& held = slots_[slot];
  PartitionState* partition = partition_of(held.position.partition, held.epoch);
  ensure(partition != nullptr);
  end_stall(held, *partition);  // it may be stalled already: its hold ended, and another began
  auto& stalled = partition->stalled;
  if (stalled.size() > 2 * partition->stalled_count + 64) {
    std::erase_if(stalled, [this](const auto& reference) { return !slots_.holds(reference); });
  }
  stalled.push_back(slots_.place(slot, Place::stalled));
  ++partition->stalled_count;
  partition->stalled_bytes += held.cost;
}

/// Called before a slot is given back; one behind the brake of the source counts in no partition.
void Worker::end_stall(const Held& held, PartitionState& partition) {
  if (held.place != Place::stalled || !std::get<Finding>(held.delivery->content).organization)
    return;
  partition.stalled_bytes -= held.cost;
  if (--partition.stalled_count == 0) partition.stalled.clear();
}

/// When findings of held organisations take a quarter of a partition's room, or the metadata can
/// take no more offsets because of them, they are told after all, brake or not: each gets the
/// result that it would have got, and the others are read on.
void Worker::let_go_stalled() {
  if (!settings_.ledger.enabled || stopping_) return;
  for (auto& [number, partition] : partitions_) {
    if (partition.stalled_count == 0 || partition.revoking) continue;
    const bool fill_source =
        settings_.unsettled_max != 0 && partition.stalled_count > settings_.unsettled_max / 4;
    const bool fill_memory = partition.stalled_bytes > partition.share / 4;
    const bool fill_metadata =
        !partition.backlog.empty() &&
        !partition.progress.admits(partition.backlog.front().position.offset);
    if (!fill_source && !fill_memory && !fill_metadata) continue;
    for (const Slots::Reference& reference : std::exchange(partition.stalled, {})) {
      if (slots_.holds(reference)) let_go(reference.slot);
    }
  }
}

void Worker::let_go(Slot slot) {
  const Finding& finding = std::get<Finding>(slots_[slot].delivery->content);
  Organization& organization = organization_of(*finding.organization);
  if (!std::exchange(organization.has_let_go, true)) {
    notice(Notice::Kind::findings_let_go, organization.number, std::nullopt,
           "rejected or undecodable changes of organisation " + finding.organization->digits() +
               ", which is held, take the room of others: they are concluded. Stop its sender, or "
               "mend what it sends, or `environment` and `identifier` here");
  }
  (void)add_conclusion(slot, entry_of(finding.reason).verdict, finding.reason, nullptr);
}

bool Worker::is_tight(const Held& held) {
  const PartitionState* partition = partition_of(held.position.partition, held.epoch);
  return partition != nullptr && partition->bytes > partition->share / 2;
}

/// One that comes from the ledger keeps no delivery back; it goes there again only to make room.
bool Worker::is_to_park(const Held& held) {
  return is_tight(held) || fills_source(held, 2) || is_overdue(held);
}

/// The part of what may be open that is not concluded, or more: one half, a quarter.
bool Worker::fills_source(const Held& held, std::size_t part) {
  if (settings_.unsettled_max == 0 || held.parked) return false;
  const PartitionState* partition = partition_of(held.position.partition, held.epoch);
  return partition != nullptr && partition->progress.unconcluded() > settings_.unsettled_max / part;
}

bool Worker::is_overdue(const Held& held) {
  if (held.parked) return false;
  const TimePoint at = held.since + settings_.retry.park_after;
  if (at <= now_) return true;
  park_at_ = park_at_ ? std::min(*park_at_, at) : at;
  return false;
}

/// When there is no room for it to wait for its time here, it is not to come and go until then.
Milliseconds Worker::wait_of_probe(const Hold& hold) const {
  return hold.awaits_probe_time() ? std::max(probe_soon, hold.probe_at() - now_) : probe_soon;
}

/// The wait grows with every time that it is exhausted.
Milliseconds Worker::wait_of_exhausted(const Held& held) {
  const Milliseconds first = std::max(settings_.retry.park_after, settings_.retry.backoff_max);
  const ParkedChange* before = held.parked ? held.key->ledger->parked.get() : nullptr;
  const bool again =
      before != nullptr && before->why == Reason::none && before->interval > first / 2;
  // The interval of an inactive one is kept for later; what it has failed for doubles as well.
  const Milliseconds last = before == nullptr ? Milliseconds{0} : before->failing_for;
  const Milliseconds wait =
      std::min(std::max(again ? before->interval * 2 : first, last), put_off_max);
  const auto tenth = static_cast<std::uint64_t>(wait.count() / 10);
  return wait - Milliseconds(tenth) + Milliseconds(static_cast<std::int64_t>(random_.up_to(tenth)));
}

void Worker::put_off(Slot slot, const PutOff& how) {
  KeyState& key = key_of(slot);
  ensure(key.waiting == slot && key.ledger != nullptr && !key.is_excluded());
  key.waiting = Slots::none;
  const EntryAnswer nothing;
  conclude_chain(slot, Verdict::inactive, Reason::none, nothing, Conclusion::no_batch, how);
}

/// An inactive one that was put off stays one: its round, and since when, go on.
ParkedChange Worker::put_off(const Held& held, const LedgerEntry& entry, const PutOff& how) const {
  ParkedChange parked{.change = held.change(),
                      .texts = held.delivery->texts,
                      .offset = held.position.offset,
                      .attempt = held.attempt,
                      .due = wall_ + how.wait,
                      .parked_since = wall_,
                      .period_end = held.change().period_end(),
                      .interval = how.fails_itself ? how.wait : Milliseconds{0}};
  if (held.parked && entry.parked) {
    const ParkedChange& before = *entry.parked;
    parked.round = before.round;
    parked.why = before.why;
    parked.parked_since = before.parked_since;
    parked.failing_for = how.failed_alone ? failing_for(before) : before.failing_for;
    if (before.why != Reason::none || !how.fails_itself) parked.interval = before.interval;
  }
  if (how.failed_alone) parked.failed_at = wall_;
  return parked;
}

/// With the failure of now. It may be tried earlier than planned; later says nothing of it.
Milliseconds Worker::failing_for(const ParkedChange& before) const {
  if (before.failed_at == WallTime{}) return before.failing_for;
  const auto since = std::chrono::duration_cast<Milliseconds>(wall_ - before.failed_at);
  return before.failing_for + std::clamp(since, Milliseconds{0}, Milliseconds{put_off_max});
}

/// The gate alone keeps members back, for so long that it will not open by itself soon.
bool Worker::is_gated_for_long(Organization& organization) {
  if (organization.hold.held() || endpoint_.held() || passes_gate(organization, Lane::members)) {
    organization.gated_since.reset();
    return false;
  }
  if (!organization.gated_since) organization.gated_since = now_;
  const TimePoint at = *organization.gated_since + settings_.retry.park_after;
  if (at <= now_) return true;
  if (organization.queue(Lane::members).changes > 0)
    park_at_ = park_at_ ? std::min(*park_at_, at) : at;
  return false;
}

/// What was put off while it could not go is due. What is on its way to the ledger is not there to
/// be made due yet, so it is said again when the records are durable that may hold it.
void Worker::make_put_off_due(Organization& organization) {
  if (!std::exchange(organization.has_put_off, false)) return;
  make_due(organization.number);
  organization.due_again = (recording_ ? 1u : 0u) + (conclusions_.empty() ? 0u : 1u);
}

void Worker::make_due_again() {
  for (Organization* organization : turns_) {
    if (organization->due_again == 0) continue;
    --organization->due_again;
    make_due(organization->number);
  }
}

/// A probe that told nothing of the hold (its entry failed, others succeed) is followed by a pause
/// too.
void Worker::end_probe(Organization& organization) {
  Hold& hold = organization.hold;
  if (!endpoint_.held() && hold.awaits_probe_time() && hold.probe_at() <= now_) {
    (void)hold.begin(now_, backoff(), random_);
  }
  bring_other_probes(organization);
}

/// What is at hand of a held organisation may be nothing but entries that fail by themselves, and
/// the others parked for long: then no probe would ever end its hold. Some come to probe instead.
void Worker::bring_other_probes(Organization& organization) {
  const bool probed = organization.hold.held() && !organization.hold.lasting();
  if (!probed || !organization.has_put_off) return;
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    if (organization.queue(lane).changes > 0 && passes_gate(organization, lane)) return;
  }
  const auto& groups = organization.groups;
  if (std::any_of(groups.begin(), groups.end(), [&](const RetryGroup& one) {
        return one.members.size() > 1 && passes_gate(organization, one.lane);  // halved first
      })) {
    return;
  }
  make_due(organization.number, false, settings_.batch.entries_max);
}

void Worker::make_due(std::optional<OrganizationNumber> organization, bool inactive_too,
                      std::size_t at_most) {
  for (auto& [number, partition] : partitions_) {
    out_->make_due.push_back({number, partition.epoch, organization, wall_, inactive_too, at_most});
    partition.next_due = wall_;
  }
}

}  // namespace helsekontakter

// Intake: partitions come and go; each delivery finds its place among the changes of its key.

#include "worker/domain/ensure.h"
#include "worker/fhir/bundle.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
namespace {

using Field = Texts::Field;

constexpr Milliseconds full_notice_after{60'000};

}  // namespace

void Worker::take(Assigned& input) {
  rereading_.erase(input.partition);
  assigned_together_ = input.assigned_together;
  if (stopping_) {
    late_releases_.push_back({input.partition, input.epoch});
    return;
  }
  drop_partition(input.partition);
  const auto mark = decode(input.metadata, input.committed);
  const ProgressMark restored = mark.value_or(ProgressMark{
      .concluded = {}, .submitted_to = input.committed, .clean = true, .unsettled = false});
  PartitionState state(
      input.epoch, PartitionProgress(input.committed, restored, settings_.metadata_characters_max));
  state.end = input.end;
  state.submitted_to = std::max(restored.submitted_to, input.committed);
  state.submittable_to = state.submitted_to;
  state.read_to = std::min(state.submitted_to, input.end);
  state.recovering = true;  // until end_recoveries() finds that everything is read
  state.submitted_end = state.submitted_to;
  state.recorded = state.progress.committed();
  if (settings_.ledger.enabled) state.next_due = WallTime{};          // to be asked at once
  if (!settings_.ledger.enabled) state.accepted_offerings.emplace();  // nobody would list them
  state.share = settings_.memory_bytes_max / 2 / std::max<std::size_t>(1, input.partitions_total);
  if (restored.unsettled) {
    state.quiet_until = now_ + settings_.api.settle_time;
    TimePoint& unsettled_until = flights_[input.partition].unsettled_until;
    unsettled_until = std::max(unsettled_until, *state.quiet_until);
  }
  partitions_.emplace(input.partition, std::move(state));
  if (settings_.ledger.enabled) {
    out_->list_offerings.push_back({input.partition, input.epoch});
    // The holds that they waited for may be over; those that are not are found anew.
    out_->make_due.push_back({input.partition, input.epoch, std::nullopt, wall_});
  }
}

void Worker::take(Revoked& input) {
  PartitionState* partition = partition_of(input.partition, input.epoch);
  if (partition == nullptr) {
    rereading_.erase(input.partition);
    late_releases_.push_back({input.partition, input.epoch});
    return;
  }
  begin_revoke(input.partition, *partition);
}

void Worker::take(Lost& input) {
  rereading_.erase(input.partition);
  std::erase_if(late_releases_, [&](const LateRelease& late) {
    return late.partition == input.partition && late.epoch == input.epoch;
  });
  if (partition_of(input.partition, input.epoch) != nullptr) drop_partition(input.partition);
}

void Worker::take(Delivered& input) {
  for (std::size_t i = 0; i < input.deliveries.size(); ++i) {
    Delivery& delivery = input.deliveries[i];
    if (i + fetched_ahead < input.deliveries.size()) fetch(input.deliveries[i + fetched_ahead]);
    PartitionState* partition = partition_of(delivery.position.partition, delivery.epoch);
    if (partition == nullptr || partition->revoking) continue;
    const bool waits =
        !partition->backlog.empty() || !has_room_for(*partition, delivery.position.offset);
    partition->bytes += delivery.cost();
    if (waits) {
      partition->backlog_bytes += delivery.cost();
      partition->backlog.push_back(std::move(delivery));
    } else {
      admit(std::move(delivery), *partition);
    }
  }
}

/// Asks for the memory that the delivery will take and touch.
void Worker::fetch(const Delivery& delivery) const {
  slots_.fetch_free(fetched_ahead);
  keys_.fetch_free(fetched_ahead);
  if (const auto* change = std::get_if<Change>(&delivery.content)) keys_.fetch_bucket(change->key);
}

void Worker::take(ReachedPosition& input) {
  PartitionState* partition = partition_of(input.partition, input.epoch);
  // What a partition that is being let go delivers is dropped, so it has reached nothing.
  if (partition == nullptr || partition->revoking) return;
  partition->reached = std::max(partition->reached, input.position);
}

void Worker::take(ComesAgain& input) {
  PartitionState* partition = partition_of(input.partition, input.epoch);
  if (partition == nullptr || !partition->recovering || !partition->quiet_until) return;
  partition->quiet_until = now_ + settings_.api.settle_time;
}

void Worker::admit_backlog() {
  for (auto& [number, partition] : partitions_) {
    if (partition.revoking) continue;
    while (!partition.backlog.empty() &&
           has_room_for(partition, partition.backlog.front().position.offset)) {
      Delivery delivery = std::move(partition.backlog.front());
      partition.backlog.pop_front();
      partition.backlog_bytes -= delivery.cost();
      admit(std::move(delivery), partition);
    }
    if (partition.backlog.empty()) partition.progress.reach(partition.reached);
  }
}

void Worker::admit(Delivery&& delivery, PartitionState& partition) {
  const std::size_t cost = delivery.cost();
  const Offset offset = delivery.position.offset;
  if (!partition.progress.receive(offset)) {
    partition.bytes -= cost;
    return;
  }
  if (std::holds_alternative<Tombstone>(delivery.content)) {
    partition.progress.conclude(offset);
    partition.bytes -= cost;
    ++tombstones_;
    return;
  }
  const Slot slot = slots_.add(std::move(delivery));
  slots_[slot].since = now_;
  if (slots_[slot].is_change) {
    (void)source_brake_.note(false);
    admit_change(slot);
  } else {
    admit_finding(slot);
  }
}

void Worker::admit_finding(Slot slot) {
  const Finding& finding = std::get<Finding>(slots_[slot].delivery->content);
  const Reason reason = finding.reason;
  const Verdict verdict = entry_of(reason).verdict;
  if (finding.organization) {
    Organization& organization = organization_of(*finding.organization);
    if (organization.hold.lasting() || organization.braked()) {
      stall(slot);
      return;
    }
    (void)add_conclusion(slot, verdict, reason, nullptr);
    note(organization, organization.read_brake, true);
    return;
  }
  if (source_brake_.pulled()) {
    (void)slots_.place(slot, Place::stalled);
    return;
  }
  (void)add_conclusion(slot, verdict, reason, nullptr);
  if (source_brake_.note(true)) {
    out_->facts.emplace_back(SharedBrake{.organization = {}, .pulled = true, .since = wall_});
    tell_source_brake();
  }
}

void Worker::tell_source_brake() {
  notice(Notice::Kind::brake_pulled, std::nullopt, std::nullopt,
         "too many events in which no organisation can be read: nothing more is read. Mend the "
         "sender, then " +
             how_to_release());
}

// What is unusable when it is read is concluded at once, and what is not waits for the endpoint. So
// each is judged among its like: else the start of a large backlog looks as if all were unusable.
void Worker::note(Organization& organization, Brake& brake, bool unusable) {
  if (!brake.note(unusable)) return;
  (void)organization.hold.begin_lasting(Lasting::brake);
  out_->facts.emplace_back(
      SharedBrake{.organization = organization.number, .pulled = true, .since = wall_});
  notice(Notice::Kind::brake_pulled, organization.number, std::nullopt,
         "too many changes of organisation " + organization.number.digits() +
             " are rejected or undecodable (brake.*): it is held. Mend the sender's data, then " +
             how_to_release());
}

bool Worker::fits_alone(const Held& held) const {
  const Change& change = held.change();
  const std::size_t head = held.delivery->texts[Field::head].size();
  const std::size_t entries = change.entries + (head > 0 ? 1u : 0u);
  const std::size_t bytes = prefix_[static_cast<std::size_t>(change.lane)].size() +
                            fhir::bundle_suffix().size() + (head > 0 ? head + 1 : 0) +
                            held.delivery->texts[Field::entry].size();
  return entries <= settings_.batch.entries_max && bytes <= settings_.batch.bytes_max;
}

void Worker::admit_change(Slot slot) {
  const Change& change = slots_[slot].change();
  Organization& organization = organization_of(change.organization);
  slots_[slot].organization = &organization;
  if (change.lane == Lane::offerings) open_offering(slot);
  if (!fits_alone(slots_[slot])) {
    (void)add_conclusion(slot, Verdict::rejected, Reason::change_too_large, nullptr);
    // Another stands for it where too many are unlisted: that one's brake is not to be pulled.
    const bool is_its_own = organization.number == change.organization;
    if (is_its_own) note(organization, organization.read_brake, true);
    return;
  }
  note(organization, organization.read_brake, false);
  order(slot);
}

/// Finds the change's place among those of its key: the newest waits, older ones hang on it.
void Worker::order(Slot slot) {
  const Change& change = slots_[slot].change();
  KeyState& key = keys_[change.key];
  slots_[slot].key = &key;
  if (settings_.ledger.enabled && !key.ledger) {
    ask(slot, key);
    return;
  }
  if (key.ledger && is_told_by_ledger(slot, key)) return;
  const bool repeats = change.version == key.concluded_version && !change.resend;
  if (change.version < key.concluded_version ||
      (repeats && change.content != key.concluded_content)) {
    (void)add_conclusion(slot, Verdict::superseded,
                         repeats ? Reason::version_equal : Reason::newer_version, nullptr);
    return;
  }
  const Slot head = key.waiting != Slots::none ? key.waiting : key.in_flight;
  if (head == Slots::none) {
    key.waiting = slot;
    place(slot, key);
    return;
  }
  const Change& known = slots_[head].change();
  const bool same_event = change.event == known.event;
  if (change.version > known.version ||
      (change.version == known.version && change.resend && !same_event)) {
    if (key.waiting != Slots::none) {
      supersede_waiting(key, slot);
    } else {
      key.waiting = slot;
      place(slot, key);
    }
  } else if (change.version < known.version) {
    chain(head, slot, ChainedAs::newer_version);
  } else {
    const bool same = same_event || change.content == known.content;
    chain(head, slot, same ? ChainedAs::same : ChainedAs::version_equal);
  }
}

void Worker::chain(Slot head, Slot older, ChainedAs as) {
  (void)slots_.place(older, Place::chained);
  slots_[older].as = as;
  slots_[older].next = slots_[head].chain;
  slots_[head].chain = older;
}

/// The newer change takes the place of the waiting one, its age included; the older hangs on it.
void Worker::supersede_waiting(KeyState& key, Slot newer) {
  const Slot waiting = key.waiting;
  Held& old = slots_[waiting];
  Held& fresh = slots_[newer];
  for (Slot at = old.chain; at != Slots::none; at = slots_[at].next) {
    if (slots_[at].as == ChainedAs::same) slots_[at].as = ChainedAs::newer_version;
  }
  const bool same_partition = old.position.partition == fresh.position.partition;
  if (old.place == Place::queued) leave_queue(waiting);
  // In a queue it may take the place only if it may go too: else a key that changes faster than
  // records become durable would never be submitted.
  const PartitionState* partition = partition_of(fresh.position.partition, fresh.epoch);
  const bool fits_place =
      old.place != Place::queued || (partition != nullptr && may_submit(fresh, *partition));
  const bool keeps_place = old.place != Place::grouped && old.place != Place::gathered;
  if (keeps_place && same_partition && fits_place) {
    old.swap_delivery(fresh);
    if (key.parked == waiting) key.parked = newer;
    if (old.place == Place::queued) {
      ReadyQueue& queue = old.organization->queue(old.lane);
      ++queue.changes;
      queue.entries += old.entries;
      queue.bytes += old.entry_bytes;
    }
    chain(waiting, newer, ChainedAs::newer_version);
    return;
  }
  fresh.chain = std::exchange(old.chain, Slots::none);
  fresh.since = old.since;
  chain(newer, waiting, ChainedAs::newer_version);
  key.waiting = newer;
  place(newer, key);
}

void Worker::place(Slot slot, KeyState& key) {
  const auto partition = partitions_.find(slots_[slot].position.partition);
  if (partition != partitions_.end() && !may_submit(slots_[slot], partition->second)) {
    partition->second.unready.push_back(slots_.place(slot, Place::unready));
  } else if (key.is_excluded()) {
    (void)slots_.place(slot, Place::blocked);
  } else if (key.not_before > now_) {
    delayed_.push({key.not_before, slots_.place(slot, Place::delayed)});
  } else if (slots_[slot].ask_first) {
    gather(slot);
  } else {
    put_in_queue(slot);
  }
}

void Worker::put_in_queue(Slot slot) {
  const Held& held = slots_[slot];
  ReadyQueue& queue = held.organization->queue(held.lane);
  queue.references.push_back(slots_.place(slot, Place::queued));
  ++queue.changes;
  queue.entries += held.entries;
  queue.bytes += held.entry_bytes;
}

/// The counts only; the reference goes stale with the slot's next placement.
void Worker::leave_queue(Slot slot) {
  const Held& held = slots_[slot];
  ReadyQueue& queue = held.organization->queue(held.lane);
  --queue.changes;
  queue.entries -= held.entries;
  queue.bytes -= held.entry_bytes;
}

void Worker::begin_revoke(Partition number, PartitionState& partition) {
  if (partition.revoking) return;
  partition.revoking = true;
  partition.recovering = false;
  for (const Delivery& delivery : partition.backlog) partition.bytes -= delivery.cost();
  partition.backlog.clear();
  partition.backlog_bytes = 0;
  drop_waiting(number, false);
}

void Worker::drop_partition(Partition number) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  discard_conclusions_of(number);
  partitions_.erase(found);
  drop_waiting(number, true);
}

/// Takes what hangs on other changes out of their chains. A change in flight of a partition that
/// is let go in order keeps its chain: both are concluded together.
void Worker::drop_from_chains(Partition number, bool lost) {
  for (Slot head = 0; head < slots_.end(); ++head) {
    const Place at = slots_[head].place;
    if (at == Place::free || at == Place::chained) continue;
    const bool keeps = !lost && at == Place::in_flight && slots_[head].position.partition == number;
    if (keeps) continue;
    Slot* link = &slots_[head].chain;
    while (*link != Slots::none) {
      const Slot older = *link;
      if (slots_[older].position.partition != number) {
        link = &slots_[older].next;
        continue;
      }
      *link = slots_[older].next;
      forget(older);
    }
  }
}

void Worker::drop_waiting(Partition number, bool lost) {
  if (settings_.ledger.enabled) forget_ledger_of(number, lost);
  drop_from_chains(number, lost);
  std::vector<Slot> survivors;  // changes of other partitions that hung on a dropped one
  for (Slot slot = 0; slot < slots_.end(); ++slot) {
    Held& held = slots_[slot];
    if (held.place == Place::free || held.place == Place::chained ||
        held.position.partition != number) {
      continue;
    }
    if (held.place == Place::in_flight) continue;  // its epoch says what its answer is worth
    for (Slot at = held.chain; at != Slots::none; at = slots_[at].next) survivors.push_back(at);
    if (held.place == Place::queued) leave_queue(slot);
    if (held.is_change) {
      KeyState& key = key_of(slot);
      if (key.waiting == slot) key.waiting = Slots::none;
      remember_key(key);
    }
    forget(slot);
  }
  order_again(survivors);
}

/// Gives the slot back without a conclusion; the delivery will be read again by whoever owns it.
void Worker::forget(Slot slot) {
  const Held& held = slots_[slot];
  if (held.key != nullptr && held.key->parked == slot) held.key->parked = Slots::none;
  if (held.is_change && held.lane == Lane::offerings) {
    --held.organization->offerings_open;
  }
  const auto partition = partitions_.find(held.position.partition);
  if (partition != partitions_.end() && partition->second.epoch == held.epoch) {
    partition->second.bytes -= held.cost;
    end_stall(held, partition->second);
  }
  slots_.remove(slot);
}

void Worker::end_recoveries() {
  for (auto& [number, partition] : partitions_) {
    if (!partition.recovering || partition.is_reading_back()) continue;
    if (partition.quiet_until && *partition.quiet_until > now_) continue;
    partition.recovering = false;
    partition.quiet_until.reset();
    withdraw_offerings(number, partition);
    place_unready(partition);
  }
}

void Worker::place_unready(PartitionState& partition) {
  const std::vector<Slots::Reference> unready = std::exchange(partition.unready, {});
  for (std::size_t i = 0; i < unready.size(); ++i) {
    if (i + fetched_ahead < unready.size()) slots_.fetch(unready[i + fetched_ahead].slot);
    if (i + fetched_ahead / 2 < unready.size()) {
      const Slots::Reference ahead = unready[i + fetched_ahead / 2];
      if (slots_.holds(ahead)) slots_[ahead.slot].fetch_key();
    }
    if (slots_.holds(unready[i])) place(unready[i].slot, key_of(unready[i].slot));
  }
}

/// Changes that only wait for their turn, of each organisation at most as many as it can use: one
/// that is busy, or held, must not keep the others from being read.
std::size_t Worker::ready_changes() const {
  const auto& api = settings_.api;
  const std::size_t usable = enough_ready() *
                             std::min(api.in_flight_per_organization_max, api.in_flight_max) /
                             api.in_flight_max;
  std::size_t ready = 0;
  for (const Organization* organization : turns_) {
    if (organization->hold.held()) continue;
    std::size_t its = 0;
    for (const Lane lane : {Lane::offerings, Lane::members}) {
      if (passes_gate(*organization, lane)) its += organization->queue(lane).changes;
    }
    ready += std::min(its, usable);
  }
  return ready;
}

/// More ready changes than this would not be submitted sooner, only lie cold in memory.
std::size_t Worker::enough_ready() const {
  const std::size_t at_once = settings_.api.in_flight_max * settings_.batch.entries_max;
  return std::max<std::size_t>(8'192, 4 * at_once);
}

/// A partition is read while its share of the memory lasts. The shares are the same for every
/// worker, so that what one held another can hold: reading up to `submitted_to` never stops.
void Worker::regulate_source() {
  const std::size_t ready = ready_changes();
  const std::size_t enough = enough_ready();
  for (auto& [number, partition] : partitions_) {
    const bool full = !partition.backlog.empty() ||
                      (partition.bytes >= partition.share && !partition.is_reading_back());
    const bool ahead = ready >= enough && !partition.is_reading_back();
    const bool no_more = (ledger_full_ || source_brake_.pulled()) && !partition.is_reading_back();
    const bool stop = full || ahead || no_more;
    if (!partition.paused && stop) {
      partition.paused = true;
      partition.paused_since = now_;
      out_->source.pause.emplace_back(number, partition.epoch);
    } else if (partition.paused && !stop && partition.bytes < partition.share / 4 * 3 &&
               ready < enough / 4 * 3) {
      partition.paused = false;
      out_->source.resume.emplace_back(number, partition.epoch);
      if (std::exchange(partition.full_noticed, false)) {
        notice(Notice::Kind::partition_reading, std::nullopt, number, "the partition is read on");
      }
    }
    if (partition.paused && full && !partition.full_noticed &&
        now_ - partition.paused_since >= full_notice_after) {
      partition.full_noticed = true;
      notice(Notice::Kind::partition_full, std::nullopt, number,
             "waiting changes fill the partition's share of memory.bytes_max, or their offsets "
             "the committed metadata: it is not read on until they are concluded. Look for holds");
    }
  }
}

void Worker::begin_stop() {
  stopping_ = true;
  for (auto& [number, partition] : partitions_) begin_revoke(number, partition);
}

}  // namespace helsekontakter

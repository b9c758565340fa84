// Dispatch: which batch goes next, and what is in it.

#include "worker/domain/ensure.h"
#include "worker/fhir/bundle.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
namespace {

using Field = Texts::Field;

Uuid random_uuid(Random& random) {
  Uuid uuid;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 8; ++i) {
      uuid.bytes[half * 8 + i] = static_cast<std::uint8_t>(bits >> i * 8);
    }
  }
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace

void Worker::dispatch() {
  while (!stopping_ && in_flight_.size() < settings_.api.in_flight_max && endpoint_.admits(now_) &&
         pace_.admits(now_)) {
    Organization* organization = next_organization();
    if (organization == nullptr) return;
    const auto chosen = candidate(*organization);
    const std::uint32_t failures = chosen->from_group ? chosen->group->failures : 0;
    const std::uint64_t successes =
        chosen->from_group ? chosen->group->successes : endpoint_.successes();
    std::vector<Slot> slots = chosen->from_group ? take_group(*organization, chosen->group)
                                                 : take_ready(*organization, chosen->lane);
    if (slots.empty()) continue;  // all were superseded meanwhile, or are foretold first
    submit(*organization, chosen->lane, std::move(slots), failures, successes);
  }
}

/// Deficit round robin: an organisation keeps its turn until it has submitted bytes_max bytes.
Organization* Worker::next_organization() {
  const auto quantum = static_cast<std::int64_t>(settings_.batch.bytes_max);
  for (std::size_t seen = 0; seen < turns_.size(); ++seen) {
    turn_ %= turns_.size();
    Organization& organization = *turns_[turn_];
    if (organization.in_flight < settings_.api.in_flight_per_organization_max &&
        organization.has_work() && organization.hold.admits(now_) && candidate(organization)) {
      if (organization.deficit <= 0) organization.deficit += quantum;
      return &organization;
    }
    organization.deficit = 0;
    ++turn_;
  }
  return nullptr;
}

/// Batches that are submitted again go first, then offerings, then members. As a probe they go
/// last: one that always fails would otherwise be the only probe there ever is.
std::optional<Worker::Candidate> Worker::candidate(Organization& organization) {
  const bool probes = endpoint_.held() || organization.hold.held();
  if (const auto again = due_group(organization); again && !probes) return again;
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    if (passes_gate(organization, lane) && is_eligible(organization, lane)) {
      return Candidate{lane, organization.groups.end(), false};
    }
  }
  return due_group(organization);
}

std::optional<Worker::Candidate> Worker::due_group(Organization& organization) {
  for (auto group = organization.groups.begin(); group != organization.groups.end(); ++group) {
    if (group->due <= now_ && passes_gate(organization, group->lane)) {
      return Candidate{group->lane, group, true};
    }
  }
  return std::nullopt;
}

/// A batch closes when it is full, and is eligible when its oldest change is of age, or when the
/// source would have to wait for us: a quarter is at work while the source delivers the next, and
/// what is left is on its way to be durable and settled. (With a half, nothing was at work while
/// the source settled.)
bool Worker::is_eligible(Organization& organization, Lane lane) {
  ReadyQueue& queue = organization.queue(lane);
  queue.trim(slots_);
  if (queue.changes == 0) return false;
  const Held& front = slots_[queue.references.front().slot];
  return queue.entries >= settings_.batch.entries_max || queue.bytes >= settings_.batch.bytes_max ||
         front.since + settings_.batch.age_max <= now_ || fills_source(front, 4);
}

std::vector<Slots::Slot> Worker::take_group(Organization& organization,
                                            std::list<RetryGroup>::iterator group) {
  std::vector<Slot> slots;
  for (const Slots::Reference member : group->members) {
    if (!slots_.holds(member)) continue;
    if (must_foretell(member.slot)) {
      foretell(member.slot);
    } else {
      slots.push_back(member.slot);
    }
  }
  organization.groups.erase(group);
  return slots;
}

std::vector<Slots::Slot> Worker::take_ready(Organization& organization, Lane lane) {
  ReadyQueue& queue = organization.queue(lane);
  std::vector<Slot> slots;
  std::size_t entries = 0;
  std::size_t bytes = 0;
  std::size_t first_comma = 0;
  for (queue.trim(slots_); !queue.references.empty(); queue.trim(slots_)) {
    const Slot slot = queue.references.front().slot;
    if (must_foretell(slot)) {
      leave_queue(slot);
      queue.references.pop_front();
      foretell(slot);
      continue;
    }
    const Held& held = slots_[slot];
    if (slots.empty()) {
      const std::string_view head = held.delivery->texts[Field::head];
      entries = head.empty() ? 0 : 1;
      bytes = prefix_[static_cast<std::size_t>(lane)].size() + fhir::bundle_suffix().size() +
              head.size();
      first_comma = head.empty() ? 0 : 1;
    } else if (lane == Lane::offerings &&
               held.change().head != slots_[slots.front()].change().head) {
      break;
    }
    const std::size_t more = held.entry_bytes - 1 + (slots.empty() ? first_comma : 1);
    if (entries + held.entries > settings_.batch.entries_max ||
        bytes + more > settings_.batch.bytes_max) {
      break;
    }
    entries += held.entries;
    bytes += more;
    leave_queue(slot);
    queue.references.pop_front();
    slots.push_back(slot);
    if (queue.references.size() > fetched_ahead) {
      slots_.fetch(queue.references[fetched_ahead].slot);
    }
  }
  return slots;
}

/// The change leaves its place and becomes an entry of the request.
void Worker::put_in_flight(Slot slot, BatchInFlight& batch, Submit& command) {
  Held& held = slots_[slot];
  (void)slots_.place(slot, Place::in_flight);
  if (++held.attempt > 1) ++retries_[static_cast<std::size_t>(held.lane)];
  const Change& change = held.change();
  KeyState& key = *held.key;
  ensure(key.waiting == slot && !key.is_excluded());
  key.waiting = Slots::none;
  key.in_flight = slot;
  if (batch.bundle_entries > 0) command.body += ',';
  command.body += held.delivery->texts[Field::entry];
  batch.bundle_entries += change.entries;
  command.entries.push_back(
      {change.full_url, std::string(held.delivery->texts[Field::identifier])});
  const std::pair under{held.position.partition, held.epoch};
  ++flights_[under.first].in_flight;
  PartitionState* partition = partition_of(under.first, under.second);
  if (partition != nullptr && !held.parked) {
    partition->submitted_end = std::max(partition->submitted_end, held.position.offset + 1);
    ensure(partition->submitted_end <= partition->submittable_to);
  }
  if (std::find(command.under.begin(), command.under.end(), under) == command.under.end()) {
    command.under.push_back(under);
  }
}

void Worker::submit(Organization& organization, Lane lane, std::vector<Slot> slots,
                    std::uint32_t failures, std::uint64_t successes_before) {
  BatchInFlight batch{.organization = &organization,
                      .lane = lane,
                      .name = random_uuid(random_),
                      .failures = failures,
                      .successes_before = successes_before,
                      .probes_organization = organization.hold.held(),
                      .probes_endpoint = endpoint_.held()};
  Submit command{.id = BatchId{++last_batch_},
                 .name = batch.name,
                 .lane = lane,
                 .organization = organization.number,
                 .body = prefix_[static_cast<std::size_t>(lane)]};
  std::size_t bytes = command.body.size() + fhir::bundle_suffix().size();
  for (const Slot slot : slots) bytes += slots_[slot].entry_bytes;
  const std::string_view head = slots_[slots.front()].delivery->texts[Field::head];
  command.body.reserve(bytes + head.size());
  command.entries.reserve(slots.size());
  command.body += head;
  batch.bundle_entries = head.empty() ? 0 : 1;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + fetched_ahead < slots.size()) {
      slots_[slots[i + fetched_ahead]].fetch_delivery();
      slots_[slots[i + fetched_ahead]].fetch_key();
    }
    if (i + fetched_ahead / 2 < slots.size()) {
      slots_[slots[i + fetched_ahead / 2]].delivery->texts.fetch(Field::entry);
    }
    put_in_flight(slots[i], batch, command);
  }
  command.body += fhir::bundle_suffix();
  ensure(command.body.size() <= settings_.batch.bytes_max);
  ensure(batch.bundle_entries <= settings_.batch.entries_max);
  batch.bytes = command.body.size();
  batch.slots = std::move(slots);
  ++organization.in_flight;
  organization.deficit -= static_cast<std::int64_t>(batch.bytes);
  // Probes of the endpoint go round too: one organisation's fault must not keep it held.
  if (organization.deficit <= 0 || batch.probes_endpoint) ++turn_;
  if (batch.probes_organization) organization.hold.probe_started();
  if (batch.probes_endpoint) endpoint_.probe_started();
  pace_.spend();
  in_flight_.emplace(last_batch_, std::move(batch));
  out_->submissions.push_back(std::move(command));
}

}  // namespace helsekontakter

#include "worker/worker.h"

#include "worker/domain/ensure.h"
#include "worker/fhir/bundle.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace helsekontakter {
namespace {

/// Organisations that nobody listed and that are told apart: a sender may name any.
constexpr std::size_t unlisted_max = 1000;

}  // namespace

Worker::Worker(WorkerSettings settings)
    : settings_(std::move(settings)),
      prefix_{fhir::bundle_prefix(settings_.form, Lane::offerings),
              fhir::bundle_prefix(settings_.form, Lane::members)},
      pace_(settings_.api.requests_per_second_max,
            std::max(1.0, static_cast<double>(settings_.api.in_flight_max))),
      source_brake_({settings_.brake.rejected_in_row_max, settings_.brake.rejected_share_max}) {}

void Worker::turn(const Turn& turn, std::vector<Input>& inputs, Commands& commands) {
  now_ = turn.now;
  wall_ = turn.wall;
  random_ = Random(turn.random);
  out_ = &commands;
  if (author_ == 0) author_ = random_.next() | 1;
  for (Input& input : inputs) {
    std::visit([this](auto& one) { take(one); }, input);
  }
  inputs.clear();
  run_timers();
  release_late();
  admit_backlog();
  end_recoveries();
  finish();
  take_due();
  ask_status();
  dispatch();
  park_waiting();
  let_go_stalled();
  record();
  finish();
  regulate_source();
  set_wake_at();
  commands.finished = finished_;
  out_ = nullptr;
}

/// Those that are not listed wait until a restart, whatever object they wait in.
Organization& Worker::organization_of(OrganizationNumber number) {
  const auto found = organizations_.find(number);
  if (found != organizations_.end()) return found->second;
  const auto listed = settings_.organizations.find(number);
  const bool is_listed = listed != settings_.organizations.end();
  if (!is_listed && unlisted_ == unlisted_max) return *last_unlisted_;
  const Brake::Limits limits{settings_.brake.rejected_in_row_max,
                             settings_.brake.rejected_share_max};
  Organization& organization = organizations_.try_emplace(number, number, limits).first->second;
  turns_.push_back(&organization);
  if (!is_listed) {
    last_unlisted_ = &organization;
    const bool is_last = ++unlisted_ == unlisted_max;
    (void)organization.hold.begin_lasting(Lasting::unlisted);
    notice(Notice::Kind::unlisted_organization, number, std::nullopt,
           "organisation " + number.digits() +
               " is not listed in `organizations`; its changes wait. List it and restart, or stop "
               "the sender" +
               (is_last ? ". No more are named, there are too many" : ""));
  } else if (listed->second.paused) {
    (void)organization.hold.begin_lasting(Lasting::paused);
    notice(Notice::Kind::organization_held, number, std::nullopt,
           "organisation " + number.digits() + " is paused in `organizations`; its changes wait");
  }
  apply_shared(organization);
  return organization;
}

void Worker::notice(Notice::Kind kind, std::optional<OrganizationNumber> organization,
                    std::optional<Partition> partition, std::string text) {
  out_->notices.push_back({kind, organization, partition, std::move(text)});
}

PartitionState* Worker::partition_of(Partition number, Epoch epoch) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end() || found->second.epoch != epoch) return nullptr;
  return &found->second;
}

void Worker::run_timers() {
  while (!delayed_.empty() && delayed_.top().due <= now_) {
    const Slots::Reference reference = delayed_.top().reference;
    delayed_.pop();
    if (slots_.holds(reference)) place(reference.slot, key_of(reference.slot));
  }
  while (!settling_keys_.empty() && settling_keys_.top().due <= now_) {
    KeyState& key = *settling_keys_.top().key;
    settling_keys_.pop();
    forget_key(key);
  }
}

/// A key that nothing waits for is remembered for a while, so that an older version that comes
/// late finds the newer one; the table of them is bounded.
void Worker::remember_key(KeyState& key) {
  if (!key.is_idle() || key.remembered) return;
  key.remembered = true;
  remembered_keys_.push_back(&key);
  if (remembered_keys_.size() <= settings_.remembered_keys_max) return;
  KeyState& oldest = *remembered_keys_.front();
  remembered_keys_.pop_front();
  if (remembered_keys_.size() > fetched_ahead) {
    fetch_lines(*remembered_keys_[fetched_ahead]);
    keys_.fetch_bucket(remembered_keys_[fetched_ahead / 2]->member);
  }
  forget_key(oldest);
}

/// The key's turn in the queue of idle ones is over.
void Worker::forget_key(KeyState& key) {
  if (!key.is_idle()) {
    key.remembered = false;
  } else if (key.not_before > now_) {
    settling_keys_.push({key.not_before, &key});
  } else {
    keys_.erase(key);
  }
}

void Worker::set_wake_at() {
  std::optional<TimePoint> at;
  const auto no_later = [&](TimePoint time) { at = at ? std::min(*at, time) : time; };
  if (!delayed_.empty()) no_later(delayed_.top().due);
  if (park_at_) no_later(*park_at_);
  if (!settling_keys_.empty()) no_later(settling_keys_.top().due);
  for (const auto& entry : flights_) {
    const Partition number = entry.first;  // clang 14 captures no structured binding
    const PartitionFlights& flights = entry.second;
    const bool waits =
        rereading_.contains(number) ||
        std::any_of(late_releases_.begin(), late_releases_.end(),
                    [&](const LateRelease& late) { return late.partition == number; });
    if (waits && flights.unsettled_until > now_) no_later(flights.unsettled_until);
  }
  for (const auto& [number, partition] : partitions_) {
    if (partition.recovering && partition.quiet_until > now_) no_later(*partition.quiet_until);
    if (partition.next_due && *partition.next_due > wall_ && !partition.taking_due) {
      no_later(now_ + (*partition.next_due - wall_));
    }
    if (!recording_ && partition.progress.committed() > partition.recorded) {
      no_later(recorded_at_ + idle_progress_every);
    }
  }
  const bool submits = in_flight_.size() < settings_.api.in_flight_max && !stopping_ &&
                       !endpoint_.awaits_probe_end();
  const TimePoint open = std::max(endpoint_.opens_at(), pace_.next(now_));
  for (Organization* organization : turns_) {
    if (submits) {
      if (const auto time = next_submission(*organization)) no_later(std::max(open, *time));
    }
  }
  if (settings_.digital_status.enabled && !stopping_) {
    const bool crowded = is_crowded();
    for (const Organization* organization : turns_) {
      if (const auto time = next_question(*organization, crowded)) no_later(*time);
    }
  }
  // What is due already waits for an input (a slot, a record, a probe's end), not for the time.
  out_->wake_at = at ? std::optional(std::max(*at, now_ + Milliseconds(1))) : std::nullopt;
}

/// When the organisation has a batch by the time alone; nothing where an input must come first.
std::optional<TimePoint> Worker::next_submission(Organization& organization) {
  const Hold& hold = organization.hold;
  if (!organization.has_work() || hold.lasting() || (hold.held() && !hold.awaits_probe_time()) ||
      organization.in_flight >= settings_.api.in_flight_per_organization_max) {
    return std::nullopt;
  }
  std::optional<TimePoint> at;
  const auto no_later = [&](TimePoint time) { at = at ? std::min(*at, time) : time; };
  for (const RetryGroup& group : organization.groups) {
    if (passes_gate(organization, group.lane)) no_later(group.due);
  }
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    ReadyQueue& queue = organization.queue(lane);
    queue.trim(slots_);
    if (queue.changes == 0 || !passes_gate(organization, lane)) continue;
    no_later(is_eligible(organization, lane)
                 ? now_
                 : slots_[queue.references.front().slot].since + settings_.batch.age_max);
  }
  if (at && hold.held()) at = std::max(*at, hold.probe_at());
  return at;
}

WorkerStatus Worker::status() const {
  WorkerStatus status;
  status.partitions = partitions_.size();
  for (const auto& [number, partition] : partitions_) {
    if (partition.recovering) ++status.recovering;
    if (partition.full_noticed) ++status.partitions_full;
    status.bytes_held += partition.bytes;
  }
  status.changes_held = slots_.used();
  status.keys_at_hand = keys_.size();
  status.requests_in_flight = in_flight_.size();
  for (const auto& [id, batch] : in_flight_) status.bytes_held += batch.bytes;
  status.endpoint_held = endpoint_.held();
  status.source_braked = source_brake_.pulled();
  for (const auto& [number, organization] : organizations_) {
    if (organization.hold.held() || organization.braked()) {
      status.organizations_held.push_back(number);
    }
    const bool waits = organization.gate_noticed || organization.queue(Lane::members).changes > 0;
    if (waits && !passes_gate(organization, Lane::members)) ++status.organizations_gated;
  }
  for (Slot slot = 0; slot < slots_.end(); ++slot) {
    if (slots_[slot].place == Place::free) continue;
    status.oldest_age = std::max(status.oldest_age, now_ - slots_[slot].since);
  }
  status.tombstones = tombstones_;
  status.retries = retries_;
  return status;
}

}  // namespace helsekontakter

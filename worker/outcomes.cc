// Outcomes: what became of a request, and what that means for each of its changes.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
namespace {

// A batch that failed so often while other requests succeeded is halved.
constexpr std::uint32_t failures_before_halving = 2;

/// Of a judgement on a change that stands alone or was answered by itself.
Verdict verdict_of(Judgement judgement) {
  if (judgement == Judgement::accepted) return Verdict::accepted;
  return judgement == Judgement::inactive ? Verdict::inactive : Verdict::rejected;
}

}  // namespace

void Worker::take(Outcome& input) {
  const auto found = in_flight_.find(static_cast<std::uint64_t>(input.id));
  ensure(found != in_flight_.end());
  BatchInFlight batch = std::move(found->second);
  in_flight_.erase(found);
  --batch.organization->in_flight;
  if (batch.probes_endpoint) endpoint_.probe_ended();
  if (batch.probes_organization) batch.organization->hold.probe_ended();
  for (std::size_t i = 0; i < batch.slots.size(); ++i) {
    if (i + fetched_ahead < batch.slots.size()) slots_.fetch(batch.slots[i + fetched_ahead]);
    const Held& held = slots_[batch.slots[i]];
    held.fetch_delivery();
    held.fetch_key();
    ensure(held.place == Place::in_flight);
    --flights_[held.position.partition].in_flight;
  }
  const auto* not_sent = std::get_if<NotSent>(&input.outcome);
  batch.organization->lacks_token =
      not_sent != nullptr && not_sent->cause == NotSentCause::token_unavailable;
  std::visit([&](const auto& outcome) { judge(batch, outcome, input); }, input.outcome);
  if (batch.probes_organization) end_probe(*batch.organization);
}

/// While HelseID is away, an organisation that still has a token says nothing of those that have
/// none: the hold ends with one of theirs.
bool Worker::others_lack_tokens() const {
  return std::any_of(turns_.begin(), turns_.end(), [](const Organization* one) {
    return one->lacks_token && one->has_work() && !one->hold.lasting();
  });
}

std::uint32_t Worker::facts_of(const BatchInFlight& batch, const Outcome& input, int http_status) {
  batch_facts_.push_back({.name = batch.name,
                          .entries = batch.bundle_entries,
                          .http_status = http_status,
                          .submitted_at = input.submitted_at.value_or(wall_),
                          .answered_at = wall_});
  return static_cast<std::uint32_t>(batch_facts_.size() - 1);
}

void Worker::judge(BatchInFlight& batch, const Answered& outcome, const Outcome& input) {
  ensure(outcome.entries.size() == batch.slots.size());
  release_endpoint(endpoint_.succeeded(batch.probes_endpoint && !others_lack_tokens()));
  const std::uint32_t facts = facts_of(batch, input, outcome.http_status);
  std::vector<Slot> again;
  std::vector<Slot> held;
  std::vector<Slot> halved;
  const EntryAnswer* refusal = nullptr;
  for (std::size_t i = 0; i < batch.slots.size(); ++i) {
    const EntryAnswer& answer = outcome.entries[i];
    const auto match = settings_.rules.judge(batch.lane, answer);
    const Slot slot = batch.slots[i];
    if (match.judgement == Judgement::retry) {
      again.push_back(slot);
    } else if (match.judgement == Judgement::hold) {
      held.push_back(slot);
      refusal = &answer;
    } else if (match.judgement == Judgement::halve && batch.slots.size() > 1) {
      halved.push_back(slot);
    } else {
      conclude(slot, verdict_of(match.judgement), match.reason, answer, facts);
    }
  }
  if (held.empty()) {
    release_organization(batch);
  } else {
    hold_organization(*batch.organization, "the endpoint refuses it for some members: " +
                                               refusal->code + " " + refusal->text);
    submit_again(*batch.organization, batch.lane, held, batch.failures, {});
  }
  if (!again.empty()) {
    const std::uint32_t failures = batch.failures + 1;
    submit_again(*batch.organization, batch.lane, again, failures, wait_after(failures));
  }
  if (!halved.empty()) submit_in_halves(batch, halved, {});
}

void Worker::judge(BatchInFlight& batch, const Refused& outcome, const Outcome& input) {
  if (outcome.retry_after) pause_endpoint(*outcome.retry_after);
  EntryAnswer answer = outcome.reason;
  answer.status = outcome.http_status;
  const auto match = settings_.rules.judge(batch.lane, answer);
  const std::string text =
      "HTTP " + std::to_string(outcome.http_status) + " " + answer.code + " " + answer.text;
  if (match.judgement == Judgement::retry) {
    if (outcome.http_status == 429) {  // the endpoint is alive and asks for less
      const Milliseconds wait = outcome.retry_after.value_or(backoff().ceiling(batch.failures + 1));
      pause_endpoint(wait);
      submit_again(*batch.organization, batch.lane, batch.slots, batch.failures, wait);
    } else {
      fail_transiently(batch, text);
    }
    return;
  }
  if (match.judgement == Judgement::hold) {
    Organization& organization = *batch.organization;
    hold_endpoint(endpoint_.refused(organization.number, now_, backoff(), random_),
                  "several organisations are refused: " + text);
    hold_organization(organization, text);
    submit_again(organization, batch.lane, batch.slots, batch.failures, {});
    return;
  }
  release_endpoint(endpoint_.alive(batch.probes_endpoint));
  release_organization(batch);
  if (batch.slots.size() > 1) {
    notice(Notice::Kind::batch_halved, batch.organization->number, std::nullopt,
           "a batch is refused as a whole and is halved: " + text);
    submit_in_halves(batch, batch.slots, {});
    return;
  }
  const std::uint32_t facts = facts_of(batch, input, outcome.http_status);
  conclude(batch.slots.front(), verdict_of(match.judgement), match.reason, answer, facts);
}

void Worker::judge(BatchInFlight& batch, const Unreadable& outcome, const Outcome&) {
  const bool others_succeed = endpoint_.successes() > batch.successes_before;
  const bool probed = endpoint_.held() && batch.probes_endpoint;
  hold_endpoint(endpoint_.unreadable(now_, backoff(), random_),
                "its answers cannot be read (HTTP " + std::to_string(outcome.http_status) + "): " +
                    outcome.shape + ". Compare with outcome.rules and the endpoint's release");
  ++batch.failures;
  const Milliseconds wait = wait_after(batch.failures);
  // As in fail_transiently(): one entry may be what makes the answer unreadable.
  const bool own_fault = probed || (others_succeed && batch.failures >= failures_before_halving);
  if (own_fault && batch.slots.size() > 1) {
    submit_in_halves(batch, batch.slots, wait);
  } else {
    submit_again(*batch.organization, batch.lane, batch.slots, batch.failures, wait);
  }
}

void Worker::judge(BatchInFlight& batch, const NotSent& outcome, const Outcome&) {
  for (const Slot slot : batch.slots) --slots_[slot].attempt;
  Milliseconds wait{0};
  switch (outcome.cause) {
    case NotSentCause::unreachable:
    case NotSentCause::tls:
    case NotSentCause::token_unavailable:
    case NotSentCause::client_refused:
      hold_endpoint(endpoint_.unreachable(now_, backoff(), random_), outcome.text);
      break;
    case NotSentCause::token_refused:
      hold_organization(*batch.organization, outcome.text);
      break;
    case NotSentCause::not_ours:
    case NotSentCause::stopped:
      wait = settings_.retry.backoff_first;
      break;
  }
  submit_again(*batch.organization, batch.lane, batch.slots, batch.failures, wait);
}

void Worker::judge(BatchInFlight& batch, const OutcomeUnknown& outcome, const Outcome&) {
  notice(Notice::Kind::outcome_unknown, batch.organization->number, std::nullopt, outcome.text);
  remember_unknown(batch);
  fail_transiently(batch, outcome.text);
}

/// The endpoint may execute the request until settle_time has passed: a newer change of its keys
/// waits that long, and a partition that is let go says so.
void Worker::remember_unknown(BatchInFlight& batch) {
  const TimePoint settled = now_ + settings_.api.settle_time;
  for (const Slot slot : batch.slots) {
    const Held& held = slots_[slot];
    KeyState& key = key_of(slot);
    key.not_before = std::max(key.not_before, settled);
    TimePoint& unsettled_until = flights_[held.position.partition].unsettled_until;
    unsettled_until = std::max(unsettled_until, settled);
  }
}

/// Exhausted, a change goes on at the slowest pace, in the ledger where there is one: no outage may
/// turn it into a verdict.
Milliseconds Worker::wait_after(std::uint32_t failures) {
  return failures >= settings_.retry.attempts_max ? settings_.retry.backoff_max
                                                  : backoff().wait(failures, random_);
}

/// A 5xx, a 408 or an unknown outcome. While others succeed it is this batch's fault: it is
/// counted, and halved at last. While nothing succeeds it is the endpoint's: nothing is counted.
void Worker::fail_transiently(BatchInFlight& batch, const std::string& text) {
  const bool others_succeed = endpoint_.successes() > batch.successes_before;
  if (endpoint_.held() || !others_succeed) {
    const bool was_held = endpoint_.held();
    hold_endpoint(endpoint_.failed(now_, backoff(), random_), text);
    const Milliseconds wait = backoff().wait(batch.failures + 1, random_);
    // A probe that fails may itself be the offender: the next probe is half of it.
    if (was_held && batch.probes_endpoint && batch.slots.size() > 1) {
      submit_in_halves(batch, batch.slots, wait);
    } else {
      submit_again(*batch.organization, batch.lane, batch.slots, batch.failures, wait);
    }
    return;
  }
  const std::uint32_t failures = batch.failures + 1;
  batch.failures = failures;
  const Milliseconds wait = wait_after(failures);
  if (failures >= failures_before_halving && batch.slots.size() > 1) {
    notice(Notice::Kind::batch_halved, batch.organization->number, std::nullopt,
           "a batch fails while others succeed and is halved: " + text);
    submit_in_halves(batch, batch.slots, wait);
  } else {
    const bool alone = batch.slots.size() == 1;
    submit_again(*batch.organization, batch.lane, batch.slots, failures, wait, alone);
  }
}

void Worker::hold_organization(Organization& organization, const std::string& text) {
  organization.hold_is_heard = false;
  if (!organization.hold.begin(now_, backoff(), random_)) return;
  notice(Notice::Kind::organization_held, organization.number, std::nullopt,
         "organisation " + organization.number.digits() + " is held: " + text);
  tell_hold(organization.number, text);
}

void Worker::release_organization(const BatchInFlight& batch) {
  Organization& organization = *batch.organization;
  if (organization.hold.held() && !batch.probes_organization) return;
  if (organization.hold.succeed()) tell_released(organization);
  if (!organization.hold.held()) tell_hold_over(organization.number);
}

void Worker::hold_endpoint(bool begins, const std::string& text) {
  if (!begins) return;
  notice(Notice::Kind::endpoint_held, std::nullopt, std::nullopt,
         "nothing is submitted but probes: " + text);
  tell_hold(std::nullopt, text);
}

void Worker::release_endpoint(bool ends) {
  if (ends) {
    notice(Notice::Kind::endpoint_released, std::nullopt, std::nullopt, "a request succeeded");
  }
  if (!endpoint_.held()) tell_hold_over(std::nullopt);
}

/// Older versions first: one that was submitted and not concluded must be known when the verdict on
/// a newer one depends on what the endpoint may hold.
void Worker::order_again(std::vector<Slot>& changes) {
  std::sort(changes.begin(), changes.end(), [this](Slot a, Slot b) {
    const auto rank = [this](Slot slot) {
      return std::pair(slots_[slot].change().version, slots_[slot].position.offset);
    };
    return rank(a) < rank(b);
  });
  for (const Slot slot : changes) slots_[slot].next = Slots::none;
  for (const Slot slot : changes) order(slot);
}

/// Whether a change whose request ended without a conclusion is to be submitted again. If not, its
/// slot is given back here or hangs on the newer change now.
bool Worker::comes_back(Slot slot) {
  Held& held = slots_[slot];
  KeyState& key = key_of(slot);
  ensure(key.in_flight == slot);
  key.in_flight = Slots::none;
  const PartitionState* partition = partition_of(held.position.partition, held.epoch);
  if (partition == nullptr || partition->revoking) {
    std::vector<Slot> left;
    for (Slot older = held.chain; older != Slots::none; older = slots_[older].next) {
      left.push_back(older);
    }
    forget(slot);
    std::erase_if(left, [this](Slot older) {
      const Held& hung = slots_[older];
      const PartitionState* its = partition_of(hung.position.partition, hung.epoch);
      if (its != nullptr && !its->revoking) return false;
      forget(older);
      return true;
    });
    order_again(left);
    free_key(key);
    return false;
  }
  if (key.waiting == Slots::none) return true;
  // A newer change came meanwhile; this one and what hangs on it hang on that one now.
  const Slot newer = key.waiting;
  for (Slot older = std::exchange(held.chain, Slots::none); older != Slots::none;) {
    const Slot next = slots_[older].next;
    const ChainedAs as = slots_[older].as;
    chain(newer, older, as == ChainedAs::same ? ChainedAs::newer_version : as);
    older = next;
  }
  chain(newer, slot, ChainedAs::newer_version);
  if (slots_[newer].place == Place::blocked) place(newer, key);
  return false;
}

void Worker::submit_again(Organization& organization, Lane lane, const std::vector<Slot>& slots,
                          std::uint32_t failures, Milliseconds wait, bool failed_alone) {
  RetryGroup group{.lane = lane,
                   .members = {},
                   .failures = failures,
                   .due = now_ + wait,
                   .successes = endpoint_.successes(),
                   .failed_alone = failed_alone};
  for (const Slot slot : slots) {
    if (!comes_back(slot)) continue;
    key_of(slot).waiting = slot;
    group.members.push_back(slots_.place(slot, Place::grouped));
  }
  if (!group.members.empty()) organization.groups.push_back(std::move(group));
}

void Worker::submit_in_halves(const BatchInFlight& batch, const std::vector<Slot>& slots,
                              Milliseconds wait) {
  // Half of the request's size, not of what is left of it: what is left may be one entry.
  const std::size_t half = std::max<std::size_t>(1, batch.slots.size() / 2);
  for (std::size_t from = 0; from < slots.size(); from += half) {
    const std::size_t to = std::min(from + half, slots.size());
    const auto begin = slots.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = slots.begin() + static_cast<std::ptrdiff_t>(to);
    // What comes to stand alone is tried alone before it counts as exhausted.
    const std::uint32_t failures =
        to - from > 1 ? batch.failures : std::min(batch.failures, settings_.retry.attempts_max - 1);
    submit_again(*batch.organization, batch.lane, {begin, end}, failures, wait);
  }
}

}  // namespace helsekontakter

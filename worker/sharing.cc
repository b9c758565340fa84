// Sharing: what other workers found and what an operator wants, as the shared topic tells it.

#include "worker/worker.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace helsekontakter {
namespace {

/// A pause that is told to others, at most; theirs and our clock may differ.
constexpr Milliseconds pause_max{std::chrono::hours(1)};
/// A person should know of one that takes so long.
constexpr Milliseconds long_pause{std::chrono::seconds(30)};
/// Told anew only when it grows by more.
constexpr Milliseconds pause_step{1'000};

}  // namespace

void Worker::take(SharedNews& input) {
  for (const SharedFact& fact : input.facts) {
    std::visit([&](const auto& one) { learn(one, input.live); }, fact);
  }
}

/// An operator's hold is a state, whenever it was said.
void Worker::learn(const SharedHold& fact, bool live) {
  if (!fact.by_operator) {
    learn_found(fact, live);
    return;
  }
  if (!fact.organization) {
    if (fact.held && endpoint_.hold_by_operator()) {
      notice(Notice::Kind::endpoint_held, std::nullopt, std::nullopt,
             "an operator holds the endpoint: " + fact.why);
    } else if (!fact.held && endpoint_.resume_by_operator()) {
      release_endpoint(true);
    }
    return;
  }
  if (fact.held) {
    held_by_operator_.insert(*fact.organization);
  } else {
    held_by_operator_.erase(*fact.organization);
  }
  const auto found = organizations_.find(*fact.organization);
  if (found == organizations_.end()) return;
  Organization& organization = found->second;
  if (fact.held && organization.hold.begin_lasting(Lasting::by_operator)) {
    notice(Notice::Kind::organization_held, organization.number, std::nullopt,
           "an operator holds organisation " + organization.number.digits() + ": " + fact.why);
  } else if (!fact.held && organization.hold.end_lasting(Lasting::by_operator)) {
    tell_released(organization);
  }
}

/// What another worker found. An organisation is held here too, and our own probes end that: the
/// finder may be the only one at fault, or gone by then. That the endpoint is held is left to each
/// worker to find, for the same reason. What we only heard ends as we hear it, also where nothing
/// is there to be probed with; what we found ourselves is worth a probe at once.
void Worker::learn_found(const SharedHold& fact, bool live) {
  if (fact.author == author_) return;
  if (fact.held) {
    told_holds_.insert(fact.organization);
  } else {
    told_holds_.erase(fact.organization);
  }
  if (!live) return;
  if (!fact.organization) {
    if (!fact.held) endpoint_.probe_now(now_);
    return;
  }
  const auto found = organizations_.find(*fact.organization);
  if (found == organizations_.end()) return;
  Organization& organization = found->second;
  if (!fact.held) {
    const bool only_heard = std::exchange(organization.hold_is_heard, false);
    if (only_heard && organization.hold.succeed()) tell_released(organization);
    organization.hold.probe_now(now_);
  } else if (!organization.hold.held() && organization.hold.begin(now_, backoff(), random_)) {
    organization.hold_is_heard = true;
    notice(Notice::Kind::organization_held, organization.number, std::nullopt,
           "organisation " + organization.number.digits() +
               " is held, as another worker found: " + fact.why);
  }
}

void Worker::tell_hold(std::optional<OrganizationNumber> organization, const std::string& why) {
  if (!settings_.shares) return;
  told_holds_.insert(organization);
  out_->facts.emplace_back(SharedHold{
      .organization = organization, .held = true, .since = wall_, .why = why, .author = author_});
}

/// Said by whoever sees it first; the finder may be gone.
void Worker::tell_hold_over(std::optional<OrganizationNumber> organization) {
  if (told_holds_.empty() || told_holds_.erase(organization) == 0) return;
  out_->facts.emplace_back(
      SharedHold{.organization = organization, .since = wall_, .author = author_});
}

/// A restart grants no new allowance: a brake stays pulled until an operator releases it.
void Worker::learn(const SharedBrake& fact, bool) {
  if (!fact.organization) {
    if (fact.pulled) {
      if (!source_brake_.pulled()) tell_source_brake();
      source_brake_.pull();
    } else if (source_brake_.pulled()) {
      source_brake_.release();
      conclude_stalled(std::nullopt);
    }
    return;
  }
  if (fact.pulled) {
    braked_elsewhere_.insert(*fact.organization);
  } else {
    braked_elsewhere_.erase(*fact.organization);
  }
  const auto found = organizations_.find(*fact.organization);
  if (found == organizations_.end()) return;
  if (!fact.pulled) {
    release_brake(found->second);
  } else if (found->second.hold.begin_lasting(Lasting::brake)) {
    notice(Notice::Kind::organization_held, fact.organization, std::nullopt,
           "the brake of organisation " + fact.organization->digits() +
               " is pulled: too many of its changes are rejected or undecodable. Mend the "
               "sender's data, then " +
               how_to_release());
  }
}

void Worker::learn(const SharedRetryAfter& fact, bool) {
  if (fact.until <= wall_) return;
  endpoint_.pause(now_ + std::min(fact.until - wall_, pause_max));
}

void Worker::learn(const SharedRetryNow& fact, bool live) {
  if (!live) return;
  make_due(fact.organization, true);
  if (!fact.organization) {
    endpoint_.end_pause();
    pause_told_until_ = {};
    endpoint_.probe_now(now_);
  }
  for (Organization* organization : turns_) {
    if (fact.organization && organization->number != *fact.organization) continue;
    organization->hold.probe_now(now_);
    for (RetryGroup& group : organization->groups) group.due = std::min(group.due, now_);
  }
}

/// What was said of an organisation before its first change came.
void Worker::apply_shared(Organization& organization) {
  organization.has_offering = with_offering_.contains(organization.number);
  organization.offerings_told = static_cast<std::size_t>(std::count_if(
      open_offerings_.begin(), open_offerings_.end(),
      [&](const auto& open) { return open.second.organization == organization.number; }));
  if (held_by_operator_.contains(organization.number) &&
      organization.hold.begin_lasting(Lasting::by_operator)) {
    notice(Notice::Kind::organization_held, organization.number, std::nullopt,
           "an operator holds organisation " + organization.number.digits() +
               "; `control resume` ends it");
  }
  if (braked_elsewhere_.contains(organization.number) &&
      organization.hold.begin_lasting(Lasting::brake)) {
    notice(Notice::Kind::organization_held, organization.number, std::nullopt,
           "the brake of organisation " + organization.number.digits() + " is pulled; " +
               how_to_release());
  }
}

void Worker::release_brake(Organization& organization) {
  organization.read_brake.release();
  organization.answer_brake.release();
  if (organization.hold.end_lasting(Lasting::brake)) tell_released(organization);
}

/// Findings that stood behind a hold that lasted.
void Worker::conclude_stalled(std::optional<OrganizationNumber> organization) {
  for (Slot slot = 0; slot < slots_.end(); ++slot) {
    if (slots_[slot].place != Place::stalled) continue;
    const auto& finding = std::get<Finding>(slots_[slot].delivery->content);
    if (finding.organization == organization) admit_finding(slot);
  }
}

void Worker::tell_released(Organization& organization) {
  organization.has_let_go = false;
  notice(Notice::Kind::organization_released, organization.number, std::nullopt,
         "organisation " + organization.number.digits() + " is submitted again");
  make_put_off_due(organization);
  conclude_stalled(organization.number);
}

/// The endpoint asked for a pause; it asks all workers.
void Worker::pause_endpoint(Milliseconds wait) {
  wait = std::min(wait, pause_max);
  if (wait >= long_pause && !endpoint_.paused(now_)) {
    notice(Notice::Kind::endpoint_paused, std::nullopt, std::nullopt,
           "the endpoint asks to be left alone (429 or Retry-After): nothing is submitted for " +
               std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()) +
               " s. Lower api.requests_per_second_max if it comes again");
  }
  endpoint_.pause(now_ + wait);
  const WallTime until = wall_ + wait;
  if (until < pause_told_until_ + pause_step) return;
  pause_told_until_ = until;
  out_->facts.emplace_back(SharedRetryAfter{until});
}

std::string Worker::how_to_release() const {
  const std::string command = "`helsekontakter control release-brake`";
  if (settings_.shares) return "release it: " + command;
  if (!settings_.ledger.enabled) return "restart";
  return "stop the worker, release it by " + command + ", and start it again";
}

}  // namespace helsekontakter

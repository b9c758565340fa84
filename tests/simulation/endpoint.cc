#include "tests/simulation/endpoint.h"

#include "tests/simulation/scenario.h"

#include <algorithm>

namespace helsekontakter::simulation {

void Endpoint::check(const Submit& submit) {
  if (submit.body.size() > settings_.batch.bytes_max) faults_.push_back("bytes_max is exceeded");
  if (submit.entries.size() > settings_.batch.entries_max) {
    faults_.push_back("entries_max is exceeded");
  }
  std::set<Key> keys;
  for (const EntryReference& entry : submit.entries) {
    const Event& event = broker_.event(position_of(entry.full_url));
    if (!keys.insert(key_of(event)).second) faults_.push_back("a key twice in one request");
    if (event.lane != submit.lane) faults_.push_back("two lanes in one request");
    const std::string text = event.text();
    if (submit.body.find("{" + text) == std::string::npos) {
      faults_.push_back("an entry without its bytes");
    }
    const Position position = position_of(entry.full_url);
    check_asked(event, position);
    if (position.offset >= broker_.submitted_to(position.partition) &&
        !broker_.is_parked(position)) {
      faults_.push_back("submitted before the promise was durable: " + text);
    }
    if (std::none_of(submit.under.begin(), submit.under.end(),
                     [&](const auto& under) { return under.first == position.partition; })) {
      faults_.push_back("submitted under other partitions than its own: " + text);
    }
  }
}

/// What is parked for an inactive member goes only when the member was said to be active.
void Endpoint::check_asked(const Event& event, Position position) {
  if (!settings_.digital_status.enabled || event.lane != Lane::members) return;
  const Delivery delivery = delivery_of(event, position, {});
  const auto& ledger = broker_.log(position.partition).ledger;
  const auto entry = ledger.find(std::get<Change>(delivery.content).key);
  if (entry == ledger.end() || !entry->second.parked) return;
  const ParkedChange& parked = *entry->second.parked;
  if (parked.why == Reason::not_digitally_active && parked.change.version == event.version &&
      !said_active_.contains({event.organization, event.member})) {
    faults_.push_back("submitted without asking whether it is active: " + event.text());
  }
}

StatusAnswer Endpoint::answer(const AskStatus& question, Random& random) {
  ++questions_;
  StatusAnswer answer{.id = question.id, .statuses = {}, .failure = {}};
  const std::set<std::string> members(question.identifiers.begin(), question.identifiers.end());
  if (members.empty()) faults_.push_back("asked for nobody");
  if (members.size() != question.identifiers.size()) faults_.push_back("asked twice for a member");
  if (members.size() > settings_.digital_status.list_max) faults_.push_back("list_max exceeded");
  std::uint32_t organization = 0;
  while (organization_number(organization) != question.organization) ++organization;
  if (random.up_to(999) < hostility.status_failures) {
    answer.failure = {static_cast<StatusFailure::Kind>(random.up_to(5)), "as drawn", {}};
    return answer;
  }
  for (const std::string& text : question.identifiers) {
    const auto member = static_cast<std::uint32_t>(std::stoul(text));
    if (hostility.status_chokes && member % 17 == 0) {
      answer.failure = {StatusFailure::Kind::refused_list, "chokes", {}};
      return answer;
    }
    answer.statuses.push_back(status_of(organization, member, random));
  }
  return answer;
}

DigitalStatus Endpoint::status_of(std::uint32_t organization, std::uint32_t member,
                                  Random& random) {
  bool active = is_awake(member);
  if (random.up_to(999) < hostility.status_lies) {
    if (random.up_to(1) == 0) return DigitalStatus::unknown;
    active = true;
  }
  if (active) said_active_.emplace(organization, member);
  return active ? DigitalStatus::active : DigitalStatus::inactive;
}

Endpoint::Fate Endpoint::receive(const Submit& submit, Random& random, bool expects_order) {
  ++requests_;
  check(submit);
  for (const EntryReference& entry : submit.entries) {
    const Event& event = broker_.event(position_of(entry.full_url));
    auto& versions = in_flight_[key_of(event)];
    // Resending the same version is allowed while its first request may still be executed.
    if (expects_order && std::any_of(versions.begin(), versions.end(), [&](std::uint32_t version) {
          return version != event.version;
        })) {
      faults_.push_back("two versions of a key in flight: " + event.text());
    }
    versions.insert(event.version);
  }
  const Milliseconds quick{static_cast<std::int64_t>(random.up_to(200)) + 1};
  const Milliseconds timeout = settings_.api.request_timeout;
  const Milliseconds late =
      timeout + Milliseconds(static_cast<std::int64_t>(random.up_to(
                    static_cast<std::uint64_t>(settings_.api.settle_time.count() - 1))));
  if (hostility.down) return {{}, false, quick, Refused{503, {.status = 503}, std::nullopt}};
  std::uint64_t draw = random.up_to(999);
  const auto falls = [&draw](std::uint32_t share) {
    if (draw < share) return true;
    draw -= share;
    return false;
  };
  if (falls(hostility.server_errors)) return {{}, false, quick, Refused{500, {.status = 500}, {}}};
  if (falls(hostility.cut_before)) return {{}, false, timeout, OutcomeUnknown{"cut"}};
  if (falls(hostility.cut_after)) return {quick, true, quick, OutcomeUnknown{"cut"}};
  if (falls(hostility.cut_late)) return {late, true, timeout, OutcomeUnknown{"late"}};
  if (falls(hostility.not_sent)) {
    return {{}, false, quick, NotSent{NotSentCause::unreachable, "no connection"}};
  }
  if (falls(hostility.unreadable)) return {quick, true, quick, Unreadable{200, "number"}};
  if (falls(hostility.too_many))
    return {{}, false, quick, Refused{429, {.status = 429}, quick * 5}};
  SubmissionOutcome outcome = answer(submit, random);
  const bool executes =
      std::holds_alternative<Answered>(outcome) || std::holds_alternative<Unreadable>(outcome);
  return {quick, executes, quick, std::move(outcome)};
}

SubmissionOutcome Endpoint::answer(const Submit& submit, Random& random) {
  Answered answered;
  for (const EntryReference& entry : submit.entries) {
    const Event& event = broker_.event(position_of(entry.full_url));
    if (hostility.refused_organizations.contains(event.organization)) {
      if (random.up_to(1) == 0) return Refused{401, {.status = 401, .code = "EHSEC-110002"}, {}};
      answered.entries.push_back({.status = 403});
      continue;
    }
    if (event.nature == Nature::poison_400) {
      return Refused{400, {.status = 400, .code = "odd"}, {}};
    }
    if (event.nature == Nature::poison_500 && !hostility.poison_heals) {
      return Refused{500, {.status = 500}, {}};
    }
    if (event.nature == Nature::garbles && !hostility.garbling_heals) {
      return Unreadable{200, "an array"};
    }
    EntryAnswer one{.status = 200};
    if (event.nature == Nature::inactive && !takes(event))
      one = {.status = 400, .fault = true, .code = "2118"};
    if (event.nature == Nature::invalid) one = {.status = 400, .fault = true, .code = "2109"};
    if (random.up_to(999) < hostility.entry_retries) one = {.status = 503};
    answered.entries.push_back(one);
  }
  return answered;
}

void Endpoint::execute(const Submit& submit) {
  for (const EntryReference& entry : submit.entries) {
    const Event& event = broker_.event(position_of(entry.full_url));
    if (!takes(event)) continue;
    ++executed_;
    const auto [found, fresh] = applied_.try_emplace(key_of(event), event.version);
    if (!fresh && event.version < found->second) {
      faults_.push_back("older over newer: " + event.text() + " after version " +
                        std::to_string(found->second));
    }
    found->second = event.version;
    contents_[key_of(event)] = event.content;
  }
}

void Endpoint::forget(const Submit& submit) {
  for (const EntryReference& entry : submit.entries) {
    const Event& event = broker_.event(position_of(entry.full_url));
    auto& versions = in_flight_[key_of(event)];
    versions.erase(versions.find(event.version));
  }
}

std::optional<std::uint32_t> Endpoint::applied(Lane lane, std::uint32_t organization,
                                               std::uint32_t member) const {
  const auto found = contents_.find({lane, {organization, member}});
  if (found == contents_.end()) return std::nullopt;
  return found->second;
}

}  // namespace helsekontakter::simulation

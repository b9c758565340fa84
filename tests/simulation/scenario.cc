#include "tests/simulation/scenario.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::simulation {
namespace {

using Field = Texts::Field;

template <class D>
D digest_of(std::uint64_t a, std::uint64_t b) {
  Random mix(a * 1'000'003 + b);
  D digest;
  const std::uint64_t words[2] = {mix.next(), mix.next()};
  std::memcpy(digest.bytes.data(), words, sizeof words);
  return digest;
}

Event draw_event(const Scenario& scenario, Random& random) {
  Event event;
  event.organization = static_cast<std::uint32_t>(random.up_to(scenario.organizations - 1));
  event.lane = random.up_to(30) == 0 ? Lane::offerings : Lane::members;
  event.member = static_cast<std::uint32_t>(random.up_to(scenario.members - 1));
  if (scenario.hot && random.up_to(2) == 0) event = {};
  event.size = static_cast<std::uint32_t>(20 + random.up_to(120));
  const std::uint64_t kind = random.up_to(199);
  if (kind < 8) event.nature = Nature::inactive;
  if (kind >= 8 && kind < 12) event.nature = Nature::invalid;
  if (kind == 12) event.nature = Nature::poison_400;
  // A poisonous offering that stays would hold its organisation's members too long, by design.
  const bool poisons = !scenario.poison_stays || event.lane == Lane::members;
  if (kind == 13 && poisons) event.nature = Nature::poison_500;
  if (kind == 16 && poisons) event.nature = Nature::garbles;
  if (kind == 14) event.undecodable = true;
  if (kind == 15) event.tombstone = true;
  // One organisation's sender is broken: most of what it sends is unusable.
  if (kind > 16 && scenario.brakes && scenario.ledger && event.organization == 0) {
    event.undecodable = event.names_organization = random.up_to(9) < 8;
  }
  return event;
}

/// Draws in [low, high].
struct Between {
  Random& random;
  std::uint32_t operator()(std::uint64_t low, std::uint64_t high) const {
    return static_cast<std::uint32_t>(low + random.up_to(high - low));
  }
};

void draw_settings(Scenario& s, Random& random) {
  const Between between{random};
  s.settings.batch.entries_max = between(2, 30);
  s.settings.batch.bytes_max = between(300, 2'500);
  s.settings.batch.age_max = Milliseconds(between(0, 3'000));
  s.settings.api.in_flight_max = between(1, 6);
  s.settings.api.in_flight_per_organization_max = between(1, 3);
  s.settings.api.requests_per_second_max = random.up_to(2) == 0 ? between(5, 50) : 0;
  s.settings.api.request_timeout = Milliseconds(between(1'000, 15'000));
  s.settings.api.settle_time = Milliseconds(between(1'000, 30'000));
  s.settings.retry.backoff_max = Milliseconds(between(1'000, 60'000));
  s.settings.retry.park_after = Milliseconds(between(1'000, 60'000));
  s.settings.brake.rejected_in_row_max = s.brakes ? between(1, 5) : 1'000'000;
  s.settings.brake.rejected_share_max = 1;
  // What never ends must not fill the memory or the metadata where no ledger takes it: then nothing
  // would be read on.
  const bool ample = s.leaves_some() && !s.ledger;
  s.settings.memory_bytes_max = ample ? 64'000'000 : between(100'000, 4'000'000);
  s.settings.unsettled_max = random.up_to(2) == 0 ? between(2, 100) : 0;
  s.settings.metadata_characters_max = ample ? 4'096 : between(100, 4'096);
  s.settings.remembered_keys_max = s.ledger ? between(0, 50) : 100'000;
  s.settings.ledger.enabled = s.ledger;
  s.settings.foretells = s.ledger && random.up_to(2) == 0;
  s.settings.ledger.due_at_once_max = between(1, 20);
  // A brake that is told to all would stop what the checks expect to go on.
  s.settings.shares = s.ledger && !s.brakes && random.up_to(3) != 0;
  s.settings.member.skip_unchanged = random.up_to(3) != 0;
  s.settings.member.every_inactive = random.up_to(2) == 0;
  s.settings.member.inactive_retry = Milliseconds(between(5'000, 60'000));
  s.settings.member.inactive_retry_max = Milliseconds(between(60'000, 300'000));
  s.settings.member.inactive_expiry = std::chrono::minutes(between(5, 30));
  if (s.poison_stays) s.settings.retry.exhausted_expiry = std::chrono::minutes(between(10, 60));
  s.settings.digital_status = {.enabled = s.ledger && random.up_to(1) == 0,
                               .list_max = between(1, 10)};
  const std::uint32_t listed = s.organizations - (s.unlisted ? 1 : 0);
  for (std::uint32_t i = 0; i < listed; ++i) {
    s.settings.organizations[organization_number(i)] = {};
  }
}

}  // namespace

OrganizationNumber organization_number(std::uint32_t index) {
  static constexpr std::string_view known[] = {"948554062", "993467049", "310911186", "123456785",
                                               "910000020"};
  return *OrganizationNumber::parse(known[index % 5]);
}

Scenario Scenario::draw(std::uint64_t seed) {
  Random random(seed);
  const Between between{random};
  Scenario s;
  s.seed = seed;
  s.partitions = between(1, 6);
  s.workers = between(1, 3);
  s.organizations = between(1, 5);
  s.members = between(5, 400);
  s.events = between(50, 2'000);
  s.crashes = random.up_to(3) != 0;
  s.ledger = random.up_to(1) == 0;
  s.disorder = ((!s.crashes && s.workers == 1) || s.ledger) && random.up_to(1) == 0;
  s.live = random.up_to(1) == 0;
  s.hot = random.up_to(5) == 0;
  switch (random.up_to(11)) {
    case 0:
    case 1:
      s.poison_stays = true;
      break;
    case 2:
      s.unlisted = s.organizations > 1;
      break;
    case 3:
      s.brakes = true;
      break;
    default:
      break;
  }
  const auto share = [&] { return random.up_to(2) == 0 ? between(5, 150) : 0; };
  s.storm = {.server_errors = share(),
             .cut_before = share(),
             .cut_after = share(),
             .cut_late = share(),
             .not_sent = share(),
             .unreadable = share(),
             .too_many = share(),
             .entry_retries = share(),
             .status_failures = share(),
             .status_lies = share(),
             .status_chokes = random.up_to(2) == 0};
  draw_settings(s, random);
  return s;
}

Scenario Scenario::draw_outage(std::uint64_t seed, Milliseconds outage) {
  Scenario s = draw(seed);
  s.poison_stays = s.unlisted = s.brakes = false;
  s.live = true;
  s.outage = outage;
  s.storm = {.down = true};
  Random random(seed + 1);
  draw_settings(s, random);
  return s;
}

std::vector<std::pair<Partition, Event>> draw_events(const Scenario& scenario, Random& random) {
  std::vector<std::pair<Partition, Event>> events;
  std::map<std::pair<Lane, std::pair<std::uint32_t, std::uint32_t>>, std::vector<Event>> history;
  for (std::uint32_t i = 0; i < scenario.events; ++i) {
    Event event = draw_event(scenario, random);
    auto& past = history[{event.lane, {event.organization, event.member}}];
    if (!past.empty() && random.up_to(9) == 0) {
      event = past.back();  // the producer sent the very same event again
    } else if (scenario.disorder && past.size() > 1 && random.up_to(4) == 0) {
      event.version = past.front().version;
      event.content = past.front().content;
      event.nature = past.front().nature;
    } else {
      event.version = (past.empty() ? 0 : past.back().version) + 1 +
                      static_cast<std::uint32_t>(random.up_to(2));
      event.content = event.version;
      if (scenario.ledger && !past.empty() && random.up_to(3) == 0) {
        // Of the newest, or of one before, to which the source went back.
        const Event& alike =
            past[past.size() - 1 - random.up_to(std::min<std::size_t>(past.size(), 3) - 1)];
        event.content = alike.content;
        event.nature = alike.nature;
      }
      if (!event.undecodable && !event.tombstone) past.push_back(event);
    }
    const auto partition =
        static_cast<std::int32_t>((event.member * 7 + event.organization) % scenario.partitions);
    events.emplace_back(Partition{partition}, event);
  }
  return events;
}

Delivery delivery_of(const Event& event, Position position, Epoch epoch) {
  Delivery delivery;
  delivery.position = position;
  delivery.epoch = epoch;
  if (event.tombstone) return delivery;
  if (event.undecodable) {
    Finding finding{.reason = Reason::wrong_type,
                    .organization = std::nullopt,
                    .version = std::nullopt,
                    .event = {}};
    if (event.names_organization) finding.organization = organization_number(event.organization);
    delivery.content = finding;
    return delivery;
  }
  const bool offering = event.lane == Lane::offerings;
  const std::uint64_t member = event.member + (offering ? 1'000'000u : 0u);
  const std::uint64_t key = member * 8 + event.organization;
  Change change{.lane = event.lane,
                .organization = organization_number(event.organization),
                .key = digest_of<MemberKey>(1, key),
                .event = digest_of<EventDigest>(2, key * 100'000 + event.version),
                .content = digest_of<ContentDigest>(3, key * 100'000 + event.content),
                .version = event.version,
                .full_url = full_url_of(position.partition, position.offset),
                .head = digest_of<decltype(Change::head)>(4, event.organization)};
  std::string entry = "{" + event.text() + "}";
  entry.resize(std::max<std::size_t>(entry.size(), event.size), ' ');
  delivery.texts.append(Field::id, event.text());
  delivery.texts.append(Field::identifier, std::to_string(event.member));
  delivery.texts.append(Field::entry, entry);
  if (offering) delivery.texts.append(Field::head, "{organization}");
  delivery.content = change;
  return delivery;
}

}  // namespace helsekontakter::simulation

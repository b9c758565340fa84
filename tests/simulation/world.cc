#include "tests/simulation/world.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::simulation {
namespace {

using namespace std::chrono_literals;
using Field = Texts::Field;

/// 310 synthetic organisation numbers would do; these nine have right check digits.
OrganizationNumber organization_number(std::uint32_t index) {
  static constexpr std::string_view known[] = {"948554062", "993467049", "310911186", "123456785",
                                               "910000020"};
  return *OrganizationNumber::parse(known[index % 5]);
}

template <class D>
D digest_of(std::uint64_t a, std::uint64_t b) {
  Random mix(a * 1'000'003 + b);
  D digest;
  const std::uint64_t words[2] = {mix.next(), mix.next()};
  std::memcpy(digest.bytes.data(), words, sizeof words);
  return digest;
}

Milliseconds session_timeout(const WorkerSettings& settings) {
  return settings.api.request_timeout + settings.api.settle_time + 15s;
}

}  // namespace

Scenario Scenario::draw(std::uint64_t seed) {
  Random random(seed);
  const auto between = [&](std::uint64_t low, std::uint64_t high) {
    return static_cast<std::uint32_t>(low + random.up_to(high - low));
  };
  Scenario s;
  s.seed = seed;
  s.partitions = between(1, 6);
  s.workers = between(1, 3);
  s.organizations = between(1, 5);
  s.members = between(5, 400);
  s.events = between(50, 2'000);
  s.crashes = random.up_to(3) != 0;
  s.disorder = !s.crashes && s.workers == 1 && random.up_to(1) == 0;
  if (!s.crashes && s.disorder) s.workers = 1;
  const auto share = [&] { return random.up_to(2) == 0 ? between(5, 150) : 0; };
  s.storm = {.server_errors = share(),
             .cut_before = share(),
             .cut_after = share(),
             .cut_late = share(),
             .not_sent = share(),
             .unreadable = share(),
             .too_many = share(),
             .entry_retries = share()};
  s.settings.batch.entries_max = between(2, 30);
  s.settings.batch.bytes_max = between(300, 2'500);
  s.settings.batch.age_max = Milliseconds(between(0, 3'000));
  s.settings.api.in_flight_max = between(1, 6);
  s.settings.api.in_flight_per_organization_max = between(1, 3);
  s.settings.api.requests_per_second_max = random.up_to(2) == 0 ? between(5, 50) : 0;
  s.settings.api.request_timeout = Milliseconds(between(1'000, 15'000));
  s.settings.api.settle_time = Milliseconds(between(1'000, 30'000));
  s.settings.retry.backoff_max = Milliseconds(between(1'000, 60'000));
  s.settings.brake.rejected_in_row_max = 1'000'000;
  s.settings.brake.rejected_share_max = 1;
  s.settings.memory_bytes_max = between(100'000, 4'000'000);
  s.settings.metadata_characters_max = between(100, 4'096);
  s.settings.remembered_keys_max = 100'000;
  for (std::uint32_t i = 0; i < 5; ++i) s.settings.organizations[organization_number(i)] = {};
  return s;
}

World::World(Scenario scenario)
    : scenario_(std::move(scenario)),
      random_(scenario_.seed ^ 0xABCDEF),
      broker_(scenario_.partitions),
      endpoint_(broker_, scenario_.settings) {
  fill_topic();
}

Event World::draw_event() {
  Event event;
  event.organization = static_cast<std::uint32_t>(random_.up_to(scenario_.organizations - 1));
  event.lane = random_.up_to(30) == 0 ? Lane::offerings : Lane::members;
  event.member = static_cast<std::uint32_t>(random_.up_to(scenario_.members - 1));
  event.size = static_cast<std::uint32_t>(20 + random_.up_to(120));
  const std::uint64_t kind = random_.up_to(199);
  if (kind < 8) event.nature = Nature::inactive;
  if (kind >= 8 && kind < 12) event.nature = Nature::invalid;
  if (kind == 12) event.nature = Nature::poison_400;
  if (kind == 13) event.nature = Nature::poison_500;
  if (kind == 14) event.undecodable = true;
  if (kind == 15) event.tombstone = true;
  return event;
}

void World::fill_topic() {
  std::map<std::pair<Lane, std::pair<std::uint32_t, std::uint32_t>>, std::vector<Event>> history;
  for (std::uint32_t i = 0; i < scenario_.events; ++i) {
    Event event = draw_event();
    auto& past = history[{event.lane, {event.organization, event.member}}];
    if (!past.empty() && random_.up_to(9) == 0) {
      event = past.back();  // the producer sent the very same event again
    } else if (scenario_.disorder && past.size() > 1 && random_.up_to(4) == 0) {
      event.version = past.front().version;
      event.nature = past.front().nature;
    } else {
      event.version = (past.empty() ? 0 : past.back().version) + 1 +
                      static_cast<std::uint32_t>(random_.up_to(2));
      if (!event.undecodable && !event.tombstone) past.push_back(event);
    }
    const auto partition =
        static_cast<std::int32_t>((event.member * 7 + event.organization) % scenario_.partitions);
    const Offset gap = random_.up_to(15) == 0 ? static_cast<Offset>(random_.up_to(5)) : 0;
    broker_.append(Partition{partition}, event, gap);
  }
}

Delivery World::deliver(Partition partition, Offset offset, Epoch epoch) {
  const Event& event = broker_.log(partition).events.at(offset);
  Delivery delivery;
  delivery.position = {partition, offset};
  delivery.epoch = epoch;
  if (event.tombstone) return delivery;
  if (event.undecodable) {
    delivery.content = Finding{.reason = Reason::wrong_type,
                               .organization = std::nullopt,
                               .version = std::nullopt,
                               .event = {}};
    return delivery;
  }
  const bool offering = event.lane == Lane::offerings;
  const std::uint64_t member = event.member + (offering ? 1'000'000u : 0u);
  const std::uint64_t key = member * 8 + event.organization;
  Change change{.lane = event.lane,
                .organization = organization_number(event.organization),
                .key = digest_of<MemberKey>(1, key),
                .event = digest_of<EventDigest>(2, key * 100'000 + event.version),
                .content = digest_of<ContentDigest>(3, key * 100'000 + event.version),
                .version = event.version,
                .full_url = full_url_of(partition, offset),
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

void World::at(Milliseconds after, std::function<void()> act) {
  happenings_.push({now_ + after, ++order_, std::move(act)});
}

void World::advance_until(TimePoint end) {
  while (!happenings_.empty() && happenings_.top().at <= end && faults_.empty()) {
    Happening next = happenings_.top();
    happenings_.pop();
    now_ = next.at;
    next.act();
    note_faults(endpoint_.faults());
    note_faults(broker_.faults());
  }
  now_ = std::max(now_, end);
}

void World::note_faults(const std::vector<std::string>& faults) {
  if (faults_.empty()) faults_ = faults;
}

World::Process* World::find(std::uint64_t id) {
  for (const auto& process : processes_) {
    if (process->id == id && process->alive) return process.get();
  }
  return nullptr;
}

void World::start_process() {
  processes_.push_back(std::make_unique<Process>(
      Process{.id = ++last_process_, .worker = Worker(scenario_.settings)}));
  rebalance();
}

void World::crash(Process& process) {
  process.alive = false;
  letting_go_.insert(process.id);  // the coordinator waits for it
  at(session_timeout(scenario_.settings), [this, id = process.id] { leave(id); });
}

void World::stop(Process& process) {
  process.stopping = true;
  input(process, StopRequested{});
}

/// The group takes the process for dead; it learns so as soon as it looks, before anybody else
/// gets its partitions.
void World::lose(Process& process) {
  for (auto& [partition, owned] : process.owned) input(process, Lost{partition, owned.epoch});
  process.owned.clear();
  process.lost = true;
  letting_go_.insert(process.id);
  stop(process);
  at(session_timeout(scenario_.settings), [this, id = process.id] { leave(id); });
}

/// The coordinator knows that the process is gone.
void World::leave(std::uint64_t id) {
  letting_go_.erase(id);
  if (rebalancing_ && letting_go_.empty()) {
    assign_all();
  } else {
    rebalance();
  }
}

void World::rebalance() {
  if (rebalancing_) return;
  rebalancing_ = true;
  for (const auto& process : processes_) {
    if (!process->alive || process->owned.empty()) continue;
    letting_go_.insert(process->id);
    for (auto& [partition, owned] : process->owned) {
      owned.revoking = true;
      input(*process, Revoked{partition, owned.epoch});
    }
  }
  if (letting_go_.empty()) assign_all();
}

void World::let_go(Process& process, Partition partition, Epoch epoch) {
  const auto found = process.owned.find(partition);
  if (found == process.owned.end() || found->second.epoch != epoch) return;
  process.owned.erase(found);
  if (process.owned.empty() && letting_go_.erase(process.id) > 0 && letting_go_.empty()) {
    assign_all();
  }
}

void World::assign_all() {
  rebalancing_ = false;
  std::vector<Process*> members;
  for (const auto& process : processes_) {
    if (process->alive && !process->stopping) members.push_back(process.get());
  }
  for (std::uint32_t i = 0; i < broker_.partitions(); ++i) {
    const Partition partition{static_cast<std::int32_t>(i)};
    broker_.log(partition).owner = 0;
    if (!members.empty()) assign(*members[i * members.size() / broker_.partitions()], partition);
  }
}

void World::assign(Process& process, Partition partition) {
  Broker::Log& log = broker_.log(partition);
  Owned& owned = process.owned[partition];
  owned = {.epoch = Epoch{++last_epoch_}, .owner = ++last_owner_, .next = log.committed};
  log.owner = owned.owner;
  input(process, Assigned{.partition = partition,
                          .epoch = owned.epoch,
                          .committed = log.committed,
                          .metadata = log.metadata,
                          .end = log.end,
                          .partitions_total = broker_.partitions()});
}

void World::input(Process& process, Input one) {
  process.inputs.push_back(std::move(one));
  if (process.turn_scheduled) return;
  process.turn_scheduled = true;
  at(Milliseconds(static_cast<std::int64_t>(random_.up_to(1))), [this, id = process.id] {
    if (Process* found = find(id)) turn(*found);
  });
}

void World::feed(Process& process) {
  for (auto& [partition, owned] : process.owned) {
    if (owned.paused || owned.revoking) continue;
    Broker::Log& log = broker_.log(partition);
    Delivered delivered;
    auto next = log.events.lower_bound(owned.next);
    for (std::uint64_t left = random_.up_to(60); left > 0 && next != log.events.end();
         --left, ++next) {
      delivered.deliveries.push_back(deliver(partition, next->first, owned.epoch));
      owned.next = next->first + 1;
    }
    if (!delivered.deliveries.empty()) input(process, std::move(delivered));
    if (next == log.events.end()) {
      input(process, ReachedPosition{partition, owned.epoch, log.end});
    }
  }
}

void World::turn(Process& process) {
  process.turn_scheduled = false;
  Commands commands;
  process.worker.turn({.now = now_,
                       .wall = WallTime(1'800'000'000s) + now_.time_since_epoch(),
                       .random = random_.next()},
                      process.inputs, commands);
  bytes_held_max_ = std::max(bytes_held_max_, process.worker.status().bytes_held);
  obey(process, commands);
}

void World::obey(Process& process, Commands& commands) {
  for (const Partition partition : commands.source.pause) process.owned[partition].paused = true;
  for (const Partition partition : commands.source.resume) process.owned[partition].paused = false;
  for (const auto& [partition, epoch] : commands.source.release) let_go(process, partition, epoch);
  for (const Partition partition : commands.source.reread) {
    at(up_to(500), [this, id = process.id, partition] {
      Process* found = find(id);
      if (found == nullptr || !found->owned.contains(partition)) return;
      Owned& owned = found->owned[partition];
      if (owned.revoking) {
        let_go(*found, partition, owned.epoch);
        return;
      }
      input(*found, Lost{partition, owned.epoch});
      assign(*found, partition);
    });
  }
  for (Submit& command : commands.submissions) submit(process, std::move(command));
  if (commands.record) commit(process, std::move(*commands.record));
  process.wake_at = commands.wake_at;
  if (commands.wake_at) {
    at(std::max(Milliseconds(0), *commands.wake_at - now_),
       [this, id = process.id, when = *commands.wake_at] {
         Process* found = find(id);
         if (found != nullptr && found->wake_at == when) input(*found, Tick{});
       });
  }
  if (commands.finished) {
    process.alive = false;
    if (!process.lost) at(up_to(100), [this, id = process.id] { leave(id); });
  }
}

void World::submit(Process& process, Submit command) {
  auto shared = std::make_shared<Submit>(std::move(command));
  Endpoint::Fate fate = endpoint_.receive(*shared, random_, true);
  if (fate.executes) at(fate.executes_after, [this, shared] { endpoint_.execute(*shared); });
  at(std::max(fate.executes_after, fate.answers_after) + 1ms,
     [this, shared] { endpoint_.forget(*shared); });
  at(fate.answers_after, [this, id = process.id, shared, outcome = fate.outcome] {
    if (Process* found = find(id)) {
      input(*found, Outcome{shared->id, outcome, std::nullopt});
    }
  });
}

void World::commit(Process& process, Record command) {
  auto shared = std::make_shared<Record>(std::move(command));
  std::map<Partition, std::uint64_t> owners;
  for (const auto& [partition, owned] : process.owned) owners[partition] = owned.owner;
  const std::uint64_t luck = stormy_ ? random_.up_to(99) : 99;
  at(50ms + up_to(100), [this, id = process.id, shared, owners, luck] {
    // luck 0: aborted; 1: committed, but nobody could tell.
    const bool committed = luck != 0 && broker_.commit(*shared, owners);
    at(up_to(20), [this, id, shared, durable = committed && luck != 1] {
      if (Process* found = find(id)) input(*found, Recorded{shared->id, durable});
    });
  });
}

void World::make_trouble() {
  if (!stormy_) return;
  std::vector<Process*> alive;
  for (const auto& process : processes_) {
    if (process->alive && !process->stopping) alive.push_back(process.get());
  }
  const std::uint64_t what = random_.up_to(19);
  if (scenario_.crashes && !alive.empty()) {
    Process& victim = *alive[random_.up_to(alive.size() - 1)];
    if (what == 0) crash(victim);
    if (what == 1) stop(victim);
    if (what == 2) lose(victim);
  }
  if (alive.size() < scenario_.workers && what < 10) start_process();
  if (what == 11) endpoint_.hostility.down = !endpoint_.hostility.down;
  if (what == 12) {
    auto& refused = endpoint_.hostility.refused_organizations;
    const auto organization =
        static_cast<std::uint32_t>(random_.up_to(scenario_.organizations - 1));
    if (refused.erase(organization) == 0) refused.insert(organization);
  }
  if (what == 13 && scenario_.crashes) rebalance();
  at(1s + up_to(20'000), [this] { make_trouble(); });
}

std::vector<std::string> World::run() {
  endpoint_.hostility = scenario_.storm;
  for (std::uint32_t i = 0; i < scenario_.workers; ++i) start_process();
  std::function<void()> feeding = [this, &feeding] {
    for (const auto& process : processes_) {
      if (process->alive) feed(*process);
    }
    at(20ms + up_to(100), feeding);
  };
  at(1ms, feeding);
  at(1s, [this] { make_trouble(); });
  advance_until(now_ + 5min + up_to(600'000));
  stormy_ = false;
  endpoint_.hostility = {};
  endpoint_.hostility.poison_heals = true;
  at(session_timeout(scenario_.settings) * 2, [this] {
    bool any = false;
    for (const auto& process : processes_) any = any || (process->alive && !process->stopping);
    if (!any) start_process();
  });
  const TimePoint calm_end = now_ + 12h;
  while (now_ < calm_end && faults_.empty() && !broker_.all_concluded()) advance_until(now_ + 1min);
  // Late executions may still be under way.
  if (faults_.empty()) advance_until(now_ + session_timeout(scenario_.settings));
  if (faults_.empty()) check_end();
  return faults_;
}

void World::check_end() {
  std::map<std::pair<Lane, std::pair<std::uint32_t, std::uint32_t>>, Event> newest;
  for (std::uint32_t i = 0; i < broker_.partitions(); ++i) {
    const Partition partition{static_cast<std::int32_t>(i)};
    for (const auto& [offset, event] : broker_.log(partition).events) {
      if (event.tombstone) continue;
      if (broker_.verdicts({partition, offset}) == nullptr) {
        faults_.push_back("no result: " + event.text() + " at " + std::to_string(i) + "/" +
                          std::to_string(offset));
      }
      if (event.undecodable) continue;
      auto& known = newest[{event.lane, {event.organization, event.member}}];
      if (event.version >= known.version) known = event;
    }
  }
  for (const auto& [key, event] : newest) {
    if (event.nature != Nature::good && event.nature != Nature::poison_500) continue;
    const auto applied = endpoint_.applied(key.first, key.second.first, key.second.second);
    if (applied != event.version) faults_.push_back("the newest is not there: " + event.text());
  }
  const std::size_t allowed =
      scenario_.settings.memory_bytes_max / 2 + 200'000 * scenario_.partitions;
  if (bytes_held_max_ > allowed) {
    faults_.push_back("more memory than allowed: " + std::to_string(bytes_held_max_) + " of " +
                      std::to_string(allowed));
  }
}

}  // namespace helsekontakter::simulation

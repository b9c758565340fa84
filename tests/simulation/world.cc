#include "tests/simulation/world.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::simulation {
namespace {

using namespace std::chrono_literals;

/// So long may it take until everything is concluded once nothing is wrong any more: a session
/// timeout, the longest pauses of holds and retries one after the other, and the work itself.
constexpr Milliseconds calm_max = 2h;

/// After so much of it, what waits has a reason of its own.
constexpr Milliseconds settled_after = 15min;

Milliseconds session_timeout(const WorkerSettings& settings) {
  return settings.api.request_timeout + settings.api.settle_time + 15s;
}

}  // namespace

World::World(Scenario scenario)
    : scenario_(std::move(scenario)),
      random_(scenario_.seed ^ 0xABCDEF),
      broker_(scenario_.partitions, scenario_.settings.metadata_characters_max),
      endpoint_(broker_, scenario_.settings) {
  broker_.inactive_comes_back = scenario_.ledger;
  broker_.every_inactive = scenario_.settings.member.every_inactive;
  coming_ = draw_events(scenario_, random_);
  produce(scenario_.live ? coming_.size() / 2 : coming_.size());
}

/// The next events of the topic; offsets have gaps, at the end too (transaction markers).
void World::produce(std::size_t count) {
  for (; count > 0 && produced_ < coming_.size(); --count, ++produced_) {
    const auto& [partition, event] = coming_[produced_];
    const Offset gap = random_.up_to(15) == 0 ? static_cast<Offset>(random_.up_to(5)) : 0;
    broker_.append(partition, event, gap);
    if (random_.up_to(7) == 0) broker_.log(partition).end += 1;
  }
}

/// How many events come in this tenth of a second or so: an outage has some until its end.
std::size_t World::coming_now() {
  if (scenario_.outage == 0ms) return random_.up_to(coming_.size() / 500);
  const auto ticks = static_cast<std::uint64_t>(scenario_.outage / 70ms);
  return random_.up_to(2 * ticks) < coming_.size() ? 1 : 0;
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
  processes_.push_back(std::make_unique<Process>(Process{
      .id = ++last_process_, .worker = Worker(scenario_.settings), .source = FakeSource(broker_)}));
  if (scenario_.settings.shares) {
    SharedNews history;
    for (const auto& [subject, fact] : shared_) history.facts.push_back(fact);
    input(*processes_.back(), std::move(history));
  }
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
  for (const Lost& lost : process.source.lose_all()) input(process, lost);
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
    if (!process->alive || process->source.holds_nothing()) continue;
    letting_go_.insert(process->id);
    for (const Revoked& revoked : process->source.revoke_all()) input(*process, revoked);
  }
  if (letting_go_.empty()) assign_all();
}

void World::let_go(Process& process, SourceOrders::Owned order) {
  if (!process.source.release(order)) return;
  if (process.source.holds_nothing() && letting_go_.erase(process.id) > 0 && letting_go_.empty()) {
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
  process.tables[partition] = {broker_.log(partition).ledger, {}};
  const Epoch epoch{++last_epoch_};
  input(process, process.source.assign(partition, epoch, ++last_owner_));
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
  for (const Partition partition : process.source.readable()) {
    for (Input& one : process.source.read(partition, random_.up_to(60))) {
      input(process, std::move(one));
    }
  }
}

void World::turn(Process& process) {
  process.turn_scheduled = false;
  Commands commands;
  const bool only_time = std::all_of(process.inputs.begin(), process.inputs.end(),
                                     [](auto& one) { return std::holds_alternative<Tick>(one); });
  process.worker.turn({.now = now_,
                       .wall = WallTime(1'800'000'000s) + now_.time_since_epoch(),
                       .random = random_.next()},
                      process.inputs, commands);
  // The figures are walked for; not in every turn.
  if (++turns_ % 8 == 0) {
    bytes_held_max_ = std::max(bytes_held_max_, process.worker.status().bytes_held);
  }
  if (only_time) note_idle_turn(process, commands);
  note_brakes(commands);
  obey(process, commands);
}

/// The source obeys a little later, when the partition may be another assignment's, and in order.
void World::set_paused(Process& process, SourceOrders::Owned order, bool paused) {
  process.obeys_at = std::max(process.obeys_at, now_ + up_to(20));
  at(process.obeys_at - now_, [this, id = process.id, order, paused] {
    if (Process* found = find(id)) found->source.set_paused(order, paused);
  });
}

void World::obey(Process& process, Commands& commands) {
  for (const auto& order : commands.source.pause) set_paused(process, order, true);
  for (const auto& order : commands.source.resume) set_paused(process, order, false);
  for (const auto& order : commands.source.release) let_go(process, order);
  for (const Partition partition : commands.source.reread) {
    at(up_to(500), [this, id = process.id, partition] {
      Process* found = find(id);
      if (found == nullptr) return;
      // One that is being revoked is released by the core, when its requests are over.
      const auto lost = found->source.lose(partition);
      if (!lost) return;
      input(*found, *lost);
      assign(*found, partition);
    });
  }
  look_up(process, commands);
  if (!commands.facts.empty()) tell(process, std::move(commands.facts));
  for (Submit& command : commands.submissions) submit(process, std::move(command));
  for (const AskStatus& question : commands.questions) ask(process, question);
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
  at(std::max(fate.executes_after, fate.answers_after),
     [this, shared] { endpoint_.forget(*shared); });
  at(fate.answers_after, [this, id = process.id, shared, outcome = fate.outcome] {
    Process* found = find(id);
    if (found == nullptr) return;
    input(*found, ClockSeen{ClockSeen::Peer::endpoint, broker_.clock_skew});
    input(*found, Outcome{shared->id, outcome, std::nullopt});
  });
}

void World::ask(Process& process, const AskStatus& question) {
  at(up_to(500), [this, id = process.id, question] {
    Process* found = find(id);
    if (found == nullptr) return;
    input(*found, ClockSeen{ClockSeen::Peer::status_api, broker_.clock_skew});
    input(*found, endpoint_.answer(question, random_));
  });
}

/// Facts are not lost while their author lives, and reach every worker in their order, each at its
/// own time. One that crashes takes with it what it has not said yet.
void World::tell(Process& process, std::vector<SharedFact> facts) {
  process.speaks_at = std::max(process.speaks_at, now_ + up_to(random_.up_to(9) == 0 ? 5'000 : 50));
  at(process.speaks_at - now_, [this, id = process.id, said = std::move(facts)] {
    const auto author = std::find_if(processes_.begin(), processes_.end(),
                                     [&](const auto& one) { return one->id == id; });
    if (!(*author)->alive && !(*author)->stopping) return;
    for (const SharedFact& fact : said) take_fact(fact);
  });
}

void World::take_fact(const SharedFact& fact) {
  std::string subject = std::to_string(fact.index());
  if (const auto* offering = std::get_if<SharedOffering>(&fact)) subject += offering->key.hex();
  if (const auto* hold = std::get_if<SharedHold>(&fact)) {
    subject += hold->organization ? hold->organization->digits() : "endpoint";
  }
  shared_.insert_or_assign(subject, fact);
  for (const auto& process : processes_) {
    if (!process->alive) continue;
    process->hears_at =
        std::max(process->hears_at, now_ + up_to(random_.up_to(9) == 0 ? 3'000 : 30));
    at(process->hears_at - now_, [this, id = process->id, fact] {
      if (Process* found = find(id)) input(*found, SharedNews{.facts = {fact}, .live = true});
    });
  }
}

/// The ledger answers a little later too, of the partition as it is then.
void World::look_up(Process& process, Commands& commands) {
  if (!commands.look_ups.empty()) {
    at(up_to(30), [this, id = process.id, look_ups = std::move(commands.look_ups)] {
      Process* found = find(id);
      if (found == nullptr) return;
      LedgerAnswers answers;
      for (const LedgerLookup& one : look_ups) {
        LedgerAnswer& answer = answers.answers.emplace_back();
        answer.partition = one.partition;
        answer.epoch = one.epoch;
        answer.key = one.key;
        if (!found->source.holds(one.partition, one.epoch)) continue;
        const auto& entries = found->tables[one.partition].entries;
        const auto entry = entries.find(one.key);
        if (entry != entries.end()) answer.entry = entry->second;
      }
      input(*found, std::move(answers));
    });
  }
  for (const MakeDue& command : commands.make_due) {
    at(up_to(1), [this, id = process.id, command] {
      if (Process* found = find(id)) make_due(*found, command);
    });
  }
  for (const ListOfferings& command : commands.list_offerings) {
    at(up_to(500), [this, id = process.id, command] {
      if (Process* found = find(id)) input(*found, offerings_of(*found, command));
    });
  }
  for (const TakeDue& command : commands.take_due) {
    const bool slow = random_.up_to(4) == 0;  // more may become due meanwhile
    at(2ms + up_to(slow ? 5'000 : 30), [this, id = process.id, command] {
      if (Process* found = find(id)) input(*found, due_of(*found, command));
    });
  }
}

void World::make_due(Process& process, const MakeDue& command) {
  if (!process.source.holds(command.partition, command.epoch)) return;
  Table& table = process.tables[command.partition];
  std::vector<std::pair<std::uint32_t, MemberKey>> meant;
  for (const auto& [key, entry] : table.entries) {
    if (!entry.parked || entry.parked->why != Reason::none) continue;
    if (command.organization && entry.organization != *command.organization) continue;
    if (entry.parked->due > command.now) meant.emplace_back(entry.parked->attempt, key);
  }
  std::sort(meant.begin(), meant.end());
  if (meant.size() > command.at_most) meant.resize(command.at_most);
  for (const auto& [attempts, key] : meant) {
    LedgerEntry& entry = table.entries.at(key);
    auto parked = std::make_shared<ParkedChange>(*entry.parked);
    parked->due = command.now;
    entry.parked = std::move(parked);
    table.handed_out.erase(key);
  }
}

LedgerOfferings World::offerings_of(Process& process, const ListOfferings& command) {
  LedgerOfferings list{.partition = command.partition, .epoch = command.epoch, .accepted = {}};
  if (!process.source.holds(command.partition, command.epoch)) return list;
  for (const auto& [key, entry] : process.tables[command.partition].entries) {
    if (entry.lane != Lane::offerings || !entry.ever_accepted) continue;
    list.accepted.push_back({key, entry.organization, entry.version});
  }
  return list;
}

DueChanges World::due_of(Process& process, const TakeDue& command) {
  DueChanges answer{.partition = command.partition, .epoch = command.epoch, .due = {}, .next = {}};
  if (!process.source.holds(command.partition, command.epoch)) return answer;
  Table& table = process.tables[command.partition];
  std::vector<std::pair<WallTime, MemberKey>> waiting;
  for (const auto& [key, entry] : table.entries) {
    if (entry.parked && !table.handed_out.contains(key)) {
      waiting.emplace_back(entry.parked->due, key);
    }
  }
  std::sort(waiting.begin(), waiting.end());
  for (const auto& [due, key] : waiting) {
    if (due > command.until || answer.due.size() >= command.at_most) {
      answer.next = due;
      break;
    }
    table.handed_out.insert(key);
    answer.due.emplace_back(key, table.entries.at(key));
  }
  return answer;
}

void World::apply(Process& process, const Record& record) {
  for (const LedgerWrite& write : record.ledger) {
    if (!process.source.holds(write.partition, write.epoch)) continue;
    Table& table = process.tables[write.partition];
    table.entries.insert_or_assign(write.key, write.entry);
    table.handed_out.erase(write.key);
  }
}

void World::commit(Process& process, Record command) {
  auto shared = std::make_shared<Record>(std::move(command));
  const auto owners = process.source.owners();
  std::uint64_t luck = stormy_ ? random_.up_to(99) : 99;
  if (records_fail_ && luck >= 20) luck = 0;
  const Milliseconds takes = records_crawl_ ? up_to(20'000) : up_to(100);
  at(50ms + takes, [this, id = process.id, shared, owners, luck] {
    // luck 0: aborted; 1: committed, but nobody could tell.
    const bool committed = luck != 0 && broker_.commit(*shared, owners);
    at(up_to(20), [this, id, shared, durable = committed && luck != 1] {
      Process* found = find(id);
      if (found == nullptr) return;
      if (durable) apply(*found, *shared);
      input(*found, Recorded{shared->id, durable});
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
  if (what == 11 && scenario_.outage == 0ms) endpoint_.hostility.down = !endpoint_.hostility.down;
  if (what == 12) {
    auto& refused = endpoint_.hostility.refused_organizations;
    const auto organization =
        static_cast<std::uint32_t>(random_.up_to(scenario_.organizations - 1));
    if (refused.erase(organization) == 0) refused.insert(organization);
  }
  if (what == 13 && scenario_.crashes) rebalance();
  if (what == 14) {
    for (std::uint32_t i = 0; i < scenario_.organizations; ++i) {
      endpoint_.hostility.refused_organizations.insert(i);
    }
  }
  if (what == 15) endpoint_.hostility.refused_organizations.clear();
  if (what == 16) records_fail_ = !records_fail_;
  if (what == 17) records_crawl_ = !records_crawl_;
  at(1s + up_to(20'000), [this] { make_trouble(); });
}

std::vector<std::string> World::run() {
  endpoint_.hostility = scenario_.storm;
  if (random_.up_to(3) == 0) broker_.clock_skew = random_.up_to(1) == 0 ? 1h : -1h;
  for (std::uint32_t i = 0; i < scenario_.workers; ++i) start_process();
  std::function<void()> feeding = [this, &feeding] {
    for (const auto& process : processes_) {
      if (process->alive) feed(*process);
    }
    if (stormy_) produce(coming_now());
    at(20ms + up_to(100), feeding);
  };
  at(1ms, feeding);
  at(1s, [this] { make_trouble(); });
  advance_until(now_ + (scenario_.outage > 0ms ? scenario_.outage : 5min + up_to(600'000)));
  stormy_ = false;
  executed_in_storm_ = endpoint_.executed();
  endpoint_.hostility = {};
  endpoint_.hostility.members_wake = scenario_.ledger;
  endpoint_.hostility.poison_heals = endpoint_.hostility.garbling_heals = !scenario_.poison_stays;
  records_fail_ = records_crawl_ = false;
  broker_.clock_skew = 0ms;
  produce(coming_.size());
  at(session_timeout(scenario_.settings) * 2, [this] {
    bool any = false;
    for (const auto& process : processes_) any = any || (process->alive && !process->stopping);
    if (!any) start_process();
  });
  const TimePoint calm = now_;
  while (now_ < calm + calm_max && faults_.empty() && !missing().empty()) {
    const TimePoint before = now_;
    advance_until(now_ + 10s);
    if (before < calm + settled_after && now_ >= calm + settled_after) check_waits();
  }
  calm_took_ = now_ - calm;
  // Late executions may still be under way.
  if (faults_.empty()) advance_until(now_ + session_timeout(scenario_.settings));
  if (faults_.empty()) check_end();
  return faults_;
}

}  // namespace helsekontakter::simulation

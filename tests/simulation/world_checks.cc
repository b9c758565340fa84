#include "tests/simulation/world.h"

#include <algorithm>
#include <string>

namespace helsekontakter::simulation {
namespace {

using namespace std::chrono_literals;
using Key = std::pair<Lane, std::pair<std::uint32_t, std::uint32_t>>;

/// Timers of many changes may fall into one second; a core that spins turns a thousand times.
constexpr std::uint32_t idle_turns_max = 300;

Key key_of(const Event& event) {
  return {event.lane, {event.organization, event.member}};
}

bool is_empty(const Commands& commands) {
  const SourceOrders& source = commands.source;
  return commands.submissions.empty() && !commands.record && commands.notices.empty() &&
         commands.look_ups.empty() && commands.take_due.empty() && commands.make_due.empty() &&
         commands.questions.empty() && source.pause.empty() && source.resume.empty() &&
         source.release.empty() && source.reread.empty();
}

}  // namespace

void World::note_idle_turn(Process& process, const Commands& commands) {
  if (now_ - process.idle_since >= 1s) {
    process.idle_since = now_;
    process.idle_turns = 0;
  }
  if (is_empty(commands) && ++process.idle_turns > idle_turns_max) {
    faults_.push_back("the core spins");
  }
}

void World::note_brakes(const Commands& commands) {
  for (const Notice& notice : commands.notices) {
    if (notice.kind != Notice::Kind::brake_pulled) continue;
    if (notice.organization) {
      braked_.insert(*notice.organization);
    } else {
      source_braked_ = true;
    }
  }
}

bool World::may_wait(const Event& event) const {
  if (source_braked_ || braked_.contains(organization_number(event.organization))) return true;
  if (event.undecodable) return false;
  if (scenario_.unlisted && event.organization + 1 == scenario_.organizations) return true;
  if (!scenario_.poison_stays) return false;
  return std::any_of(coming_.begin(), coming_.end(), [&](const auto& entry) {
    const Nature nature = entry.second.nature;
    return (nature == Nature::poison_500 || nature == Nature::garbles) &&
           key_of(entry.second) == key_of(event);
  });
}

std::vector<Position> World::missing() {
  std::vector<Position> missing = broker_.missing();
  std::erase_if(missing, [&](Position position) { return may_wait(broker_.event(position)); });
  return missing;
}

/// When nothing has been wrong for a while, only an inactive member and a change that failed too
/// often are left to their time. Whatever waited for something else was told that it is over.
void World::check_waits() {
  for (const Position position : missing()) {
    const Event& event = broker_.event(position);
    const Delivery delivery = delivery_of(event, position, Epoch{});
    if (const auto* change = std::get_if<Change>(&delivery.content)) {
      const auto& ledger = broker_.log(position.partition).ledger;
      const auto entry = ledger.find(change->key);
      const ParkedChange* parked = entry == ledger.end() ? nullptr : entry->second.parked.get();
      if (parked != nullptr && (parked->why != Reason::none ||
                                parked->attempt >= scenario_.settings.retry.attempts_max)) {
        continue;
      }
    }
    faults_.push_back("still waits, and nobody knows why: " + event.text());
  }
}

void World::check_end() {
  for (const Position position : missing()) {
    faults_.push_back("no result: " + broker_.event(position).text() + " at " +
                      std::to_string(static_cast<std::int32_t>(position.partition)) + "/" +
                      std::to_string(position.offset));
  }
  std::map<Key, Event> newest;
  for (const auto& [partition, event] : coming_) {
    if (event.tombstone || event.undecodable || may_wait(event)) continue;
    const auto [known, fresh] = newest.try_emplace(key_of(event), event);
    if (!fresh && event.version >= known->second.version) known->second = event;
  }
  for (const auto& [key, event] : newest) {
    if (!is_applied(event.nature)) continue;
    const auto applied = endpoint_.applied(key.first, key.second.first, key.second.second);
    if (applied != event.content) faults_.push_back("the newest is not there: " + event.text());
  }
  check_memory();
}

std::string World::describe() const {
  std::string text = "poison stays " + std::to_string(scenario_.poison_stays) + ", unlisted " +
                     std::to_string(scenario_.unlisted) + ", brakes " +
                     std::to_string(scenario_.brakes) + ", disorder " +
                     std::to_string(scenario_.disorder);
  for (const auto& process : processes_) {
    if (!process->alive) continue;
    const WorkerStatus status = process->worker.status();
    text += "\nprocess " + std::to_string(process->id) + ": " + std::to_string(status.partitions) +
            " partitions, " + std::to_string(status.recovering) + " recovering, " +
            std::to_string(status.changes_held) + " held, " + std::to_string(status.bytes_held) +
            " bytes, " + std::to_string(status.requests_in_flight) + " in flight, endpoint held " +
            std::to_string(status.endpoint_held) + ", organisations held " +
            std::to_string(status.organizations_held.size()) + ", stopping " +
            std::to_string(process->stopping);
    text += process->source.describe();
  }
  return text;
}

void World::check_memory() {
  const std::size_t allowed =
      scenario_.settings.memory_bytes_max / 2 + 200'000 * scenario_.partitions;
  if (bytes_held_max_ > allowed) {
    faults_.push_back("more memory than allowed: " + std::to_string(bytes_held_max_) + " of " +
                      std::to_string(allowed));
  }
}

}  // namespace helsekontakter::simulation

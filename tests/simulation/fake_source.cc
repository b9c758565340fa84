#include "tests/simulation/fake_source.h"

#include "tests/simulation/scenario.h"

#include <utility>

namespace helsekontakter::simulation {

Assigned FakeSource::assign(Partition partition, Epoch epoch, std::uint64_t owner) {
  Broker::Log& log = broker_->log(partition);
  held_[partition] = {.epoch = epoch, .owner = owner, .next = log.committed};
  log.owner = owner;
  return {.partition = partition,
          .epoch = epoch,
          .committed = log.committed,
          .metadata = log.metadata,
          .end = log.end,
          .partitions_total = broker_->partitions()};
}

std::vector<Revoked> FakeSource::revoke_all() {
  std::vector<Revoked> revoked;
  for (auto& [partition, held] : held_) {
    held.revoking = true;
    revoked.push_back({partition, held.epoch});
  }
  return revoked;
}

std::vector<Lost> FakeSource::lose_all() {
  std::vector<Lost> lost;
  for (const auto& [partition, held] : held_) lost.push_back({partition, held.epoch});
  held_.clear();
  return lost;
}

std::optional<Lost> FakeSource::lose(Partition partition) {
  const auto found = held_.find(partition);
  if (found == held_.end() || found->second.revoking) return std::nullopt;
  const Lost lost{partition, found->second.epoch};
  held_.erase(found);
  return lost;
}

void FakeSource::set_paused(SourceOrders::Owned order, bool paused) {
  if (holds(order.first, order.second)) held_.at(order.first).paused = paused;
}

bool FakeSource::release(SourceOrders::Owned order) {
  return holds(order.first, order.second) && held_.erase(order.first) > 0;
}

std::vector<Partition> FakeSource::readable() const {
  std::vector<Partition> partitions;
  for (const auto& [partition, held] : held_) {
    if (!held.paused && !held.revoking) partitions.push_back(partition);
  }
  return partitions;
}

std::vector<Input> FakeSource::read(Partition partition, std::size_t events_max) {
  Held& held = held_.at(partition);
  const Broker::Log& log = broker_->log(partition);
  std::vector<Input> inputs;
  Delivered delivered;
  auto next = log.events.lower_bound(held.next);
  for (; events_max > 0 && next != log.events.end(); --events_max, ++next) {
    delivered.deliveries.push_back(delivery_of(next->second, {partition, next->first}, held.epoch));
    held.next = next->first + 1;
  }
  if (!delivered.deliveries.empty()) inputs.emplace_back(std::move(delivered));
  if (next == log.events.end()) {
    inputs.emplace_back(ReachedPosition{partition, held.epoch, log.end});
  }
  return inputs;
}

bool FakeSource::holds(Partition partition, Epoch epoch) const {
  const auto found = held_.find(partition);
  return found != held_.end() && found->second.epoch == epoch;
}

std::map<Partition, std::uint64_t> FakeSource::owners() const {
  std::map<Partition, std::uint64_t> owners;
  for (const auto& [partition, held] : held_) owners[partition] = held.owner;
  return owners;
}

std::string FakeSource::describe() const {
  std::string text;
  for (const auto& [partition, held] : held_) {
    text += "\n  partition " + std::to_string(static_cast<std::int32_t>(partition)) + " next " +
            std::to_string(held.next) + (held.paused ? " paused" : "") +
            (held.revoking ? " revoking" : "");
  }
  return text;
}

}  // namespace helsekontakter::simulation

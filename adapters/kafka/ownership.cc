#include "adapters/kafka/ownership.h"

#include <algorithm>
#include <utility>

#include <time.h>

namespace helsekontakter::kafka {
namespace {

CoordinatorContact::Duration read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::duration_cast<std::chrono::microseconds>(
                                                 std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

CoordinatorContact::Clocks read_clocks() {
  return {.boot = read_clock(CLOCK_BOOTTIME), .real = read_clock(CLOCK_REALTIME)};
}

void Ownership::take(Partition partition, Epoch epoch, Offset committed, Metadata metadata) {
  const std::lock_guard lock(mutex_);
  shares_.insert_or_assign(
      partition, Share{.epoch = epoch, .committed = committed, .metadata = std::move(metadata)});
}

void Ownership::leave(Partition partition) {
  const std::lock_guard lock(mutex_);
  if (const auto found = shares_.find(partition); found != shares_.end()) {
    found->second.leaving = true;
  }
}

void Ownership::drop(Partition partition) {
  const std::lock_guard lock(mutex_);
  shares_.erase(partition);
}

void Ownership::drop_all() {
  const std::lock_guard lock(mutex_);
  shares_.clear();
}

void Ownership::turned() {
  const auto now = read_clocks();
  const std::lock_guard lock(mutex_);
  contact_.turned(now);
}

void Ownership::heard(CoordinatorContact::Duration silence) {
  const auto now = read_clocks();
  const std::lock_guard lock(mutex_);
  contact_.heard(now, silence);
}

void Ownership::forget_contact() {
  const std::lock_guard lock(mutex_);
  contact_.reset();
}

bool Ownership::still_ours(std::span<const std::pair<Partition, Epoch>> under) const {
  const auto now = read_clocks();
  const std::lock_guard lock(mutex_);
  const auto ours = [&](const std::pair<Partition, Epoch>& claim) {
    const auto found = shares_.find(claim.first);
    return found != shares_.end() && found->second.epoch == claim.second && !found->second.leaving;
  };
  return std::all_of(under.begin(), under.end(), ours) && contact_.is_recent(now);
}

Ownership::Metadata Ownership::metadata_for(std::span<const Progress> progress) const {
  const std::lock_guard lock(mutex_);
  Metadata metadata;
  for (const Progress& part : progress) {
    const auto found = shares_.find(part.partition);
    if (found == shares_.end() || found->second.epoch != part.epoch) return nullptr;
    // Partitions of two generations cannot be committed as one.
    if (metadata && metadata != found->second.metadata) return nullptr;
    metadata = found->second.metadata;
  }
  return metadata;
}

void Ownership::committed(std::span<const Progress> progress) {
  const std::lock_guard lock(mutex_);
  for (const Progress& part : progress) {
    const auto found = shares_.find(part.partition);
    if (found != shares_.end() && found->second.epoch == part.epoch) {
      found->second.committed = part.committed;
    }
  }
}

std::optional<Offset> Ownership::committed(Partition partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = shares_.find(partition);
  if (found == shares_.end()) return std::nullopt;
  return found->second.committed;
}

}  // namespace helsekontakter::kafka

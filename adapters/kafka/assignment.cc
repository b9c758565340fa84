#include "adapters/kafka/assignment.h"

#include "worker/ordering/progress.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::kafka {

void Assignment::begin(std::span<const Partition> partitions) {
  parts_.clear();
  for (const Partition partition : partitions) parts_.emplace(partition, Part{});
}

Assignment::Restored Assignment::restore(Partition partition, const Bounds& bounds,
                                         std::uint32_t total) {
  Part* part = find(partition);
  if (part == nullptr || (part->state != State::restoring && part->state != State::held)) return {};
  std::string hold = moved_keys(total);
  if (hold.empty()) hold = lost_offset(partition, bounds);
  if (!hold.empty()) {
    const bool newly_held = part->state != State::held;
    part->state = State::held;
    return {.hold = std::move(hold), .newly_held = newly_held};
  }
  const Offset from =
      bounds.committed.value_or(start_ == Start::earliest ? bounds.first : bounds.end);
  const bool back_at_once = is_static_ && known_.insert(partition).second;
  *part = Part{.state = State::reading, .epoch = Epoch{++epochs_}, .next = from};
  return {.assigned = Assigned{
              .partition = partition,
              .epoch = part->epoch,
              .committed = from,
              .metadata = back_at_once ? with_quarantine(bounds.metadata, from) : bounds.metadata,
              .end = bounds.end,
              .partitions_total = total,
              .assigned_together = static_cast<std::uint32_t>(parts_.size())}};
}

std::string Assignment::moved_keys(std::uint32_t total) const {
  // A broker that has not heard of a new partition yet counts fewer than the group gave out.
  total = std::max(total, static_cast<std::uint32_t>(parts_.rbegin()->first) + 1);
  if (ledger_partitions_ == 0 || total == ledger_partitions_) return {};
  return topic_ + " has " + std::to_string(total) + " partitions and the ledger " +
         std::to_string(ledger_partitions_) +
         ": keys have moved to other partitions, where the ledger does not know them, so an older "
         "version could go out over a newer one; nothing of it is consumed. Stop the workers; "
         "\"More partitions\" in deploy/README.md says how to go on";
}

std::string Assignment::lost_offset(Partition partition, const Bounds& bounds) const {
  const std::string name = topic_ + "/" + std::to_string(static_cast<std::int32_t>(partition));
  const std::string remedy =
      "; it is not consumed until the group's offset is set on purpose "
      "(stop the workers, then kafka-consumer-groups --reset-offsets)";
  if (!bounds.committed) {
    if (!bounds.known_to_ledger) return {};
    return name +
           ": the ledger knows members of it, but the group has no committed offset: it was "
           "deleted, expired (offsets.retention.minutes), or the group was renamed without "
           "a new ledger" +
           remedy;
  }
  const std::string committed = std::to_string(*bounds.committed);
  if (*bounds.committed < bounds.first) {
    return name + ": the events from offset " + committed + " to " +
           std::to_string(bounds.first - 1) +
           " were deleted before they were consumed; prolong the topic's retention, ask the "
           "senders for them" +
           remedy;
  }
  if (*bounds.committed <= bounds.end) return {};
  return name + ": the committed offset " + committed + " lies beyond the end " +
         std::to_string(bounds.end) +
         "; the topic was made anew or a broker lost its end, so events may be missing" + remedy;
}

std::vector<Input> Assignment::revoke() {
  std::vector<Input> inputs;
  for (auto at = parts_.begin(); at != parts_.end();) {
    Part& part = at->second;
    if (part.state == State::reading) {
      part.state = State::revoking;
      inputs.emplace_back(Revoked{at->first, part.epoch});
    }
    at = part.state == State::revoking ? std::next(at) : parts_.erase(at);
  }
  return inputs;
}

bool Assignment::release(Partition partition, Epoch epoch) {
  const auto found = parts_.find(partition);
  if (found == parts_.end() || found->second.state != State::revoking ||
      found->second.epoch != epoch) {
    return false;
  }
  parts_.erase(found);
  return true;
}

bool Assignment::is_revoking() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const auto& part) { return part.second.state == State::revoking; });
}

std::vector<Input> Assignment::lose() {
  std::vector<Input> inputs;
  for (const auto& [partition, part] : parts_) {
    if (part.state == State::reading || part.state == State::revoking) {
      inputs.emplace_back(Lost{partition, part.epoch});
    }
  }
  parts_.clear();
  return inputs;
}

std::vector<Input> Assignment::reread(std::span<const Partition> partitions) {
  std::vector<Input> inputs;
  for (const Partition partition : partitions) {
    Part* part = find(partition);
    if (part == nullptr || part->state == State::restoring || part->state == State::held) continue;
    inputs.emplace_back(Lost{partition, part->epoch});
    if (part->state == State::revoking) {
      // It was to be let go anyway; there is no point in reading it again here.
      parts_.erase(partition);
    } else {
      *part = Part{};
    }
  }
  return inputs;
}

bool Assignment::reach(Partition partition, Offset position) {
  Part* part = find(partition);
  if (part == nullptr || part->state != State::reading || position <= part->reached) return false;
  part->reached = position;
  part->next = std::max(part->next, position);
  return true;
}

std::vector<Partition> Assignment::in(State state) const {
  std::vector<Partition> partitions;
  for (const auto& [partition, part] : parts_) {
    if (part.state == state) partitions.push_back(partition);
  }
  return partitions;
}

Assignment::Part* Assignment::find(Partition partition) {
  const auto found = parts_.find(partition);
  return found == parts_.end() ? nullptr : &found->second;
}

}  // namespace helsekontakter::kafka

// Recording: conclusions become durable together, and only then free their keys.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
/// Moves the delivery of a slot to the next record and gives the slot back.
Conclusion& Worker::add_conclusion(Slot slot, Verdict verdict, Reason reason, KeyState* frees_key) {
  Held& held = slots_[slot];
  PartitionState* partition = partition_of(held.delivery.position.partition, held.delivery.epoch);
  ensure(partition != nullptr);
  partition->progress.conclude(held.delivery.position.offset);
  ++partition->unrecorded;
  conclusions_.push_back({.delivery = std::move(held.delivery),
                          .verdict = verdict,
                          .reason = reason,
                          .attempt = held.attempt,
                          .batch = Conclusion::no_batch});
  frees_key_.push_back(frees_key);
  slots_.remove(slot);
  return conclusions_.back();
}

void Worker::conclude(Slot slot, Verdict verdict, Reason reason, const EntryAnswer& answer,
                      std::uint32_t batch) {
  Held& held = slots_[slot];
  const Change change = held.change();
  KeyState& key = key_of(slot);
  const PartitionState* partition =
      partition_of(held.delivery.position.partition, held.delivery.epoch);
  if (partition == nullptr) {
    (void)comes_back(slot);
    return;
  }
  ensure(key.in_flight == slot && !key.concluding);
  key.in_flight = Slots::none;
  key.concluding = true;
  key.concluded_version = std::max(key.concluded_version, change.version);
  key.concluded_content = change.content;
  Slot older = held.chain;
  const auto head = static_cast<std::uint32_t>(conclusions_.size());
  Conclusion& conclusion = add_conclusion(slot, verdict, reason, &key);
  conclusion.batch = batch;
  if (verdict != Verdict::accepted) {
    conclusion.text = answer.text;
    conclusion.endpoint_code = answer.code;
  }
  conclusion.endpoint_event_id = answer.event_id;
  while (older != Slots::none) {
    const Slot next = slots_[older].next;
    const bool same = slots_[older].as == ChainedAs::same;
    const Reason why = slots_[older].as == ChainedAs::version_equal ? Reason::version_equal
                                                                    : Reason::newer_version;
    Conclusion& hung =
        add_conclusion(older, same ? verdict : Verdict::superseded, same ? reason : why, nullptr);
    if (same) {
      hung.batch = batch;
      hung.attempt = conclusions_[head].attempt;
    } else {
      hung.superseded_by = head;
    }
    older = next;
  }
  Organization& organization = *organization_pointer(change.organization);
  note(organization, organization.answer_brake, verdict == Verdict::rejected);
}

bool Worker::can_release(Partition number, const PartitionState& partition) const {
  const auto flights = flights_.find(number);
  return partition.revoking && !partition.recording &&
         (flights == flights_.end() || flights->second.in_flight == 0);
}

/// How far the next record promises submissions. What is promised must be read back after a crash,
/// so nothing is promised ahead while the partition's memory is full.
Offset Worker::promise_of(const PartitionState& partition) {
  const bool full = partition.bytes >= partition.share;
  return std::max(partition.submitted_to, partition.progress.promisable(full ? 0 : promise_stride));
}

/// Half a stride ahead is enough; the rest is promised with the next record.
bool Worker::wants_promise(const PartitionState& partition) {
  const PartitionProgress& progress = partition.progress;
  return !partition.revoking && progress.unconcluded() > 0 &&
         progress.received() + promise_stride / 2 > partition.submitted_to &&
         promise_of(partition) > partition.submitted_to;
}

bool Worker::wants_record() const {
  if (!conclusions_.empty()) return true;
  return std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
    const auto& [number, partition] = entry;
    return can_release(number, partition) || wants_promise(partition) ||
           (partition.progress.committed() > partition.recorded &&
            now_ - recorded_at_ >= idle_progress_every);
  });
}

/// What becomes durable of the partition with the next record; nothing when nothing changed.
std::optional<Progress> Worker::progress_of(Partition number, PartitionState& partition) {
  const Offset committed = partition.progress.committed();
  const bool releases = can_release(number, partition);
  const bool settled = flights_[number].unsettled_until <= now_;
  // Before use it is a promise, so it runs ahead; in the end it says what was submitted.
  const Offset submitted_to = std::max(
      committed, partition.revoking ? (releases ? partition.submitted_end : partition.submitted_to)
                                    : promise_of(partition));
  const bool changed = committed != partition.recorded || partition.unrecorded > 0 ||
                       submitted_to != partition.submitted_to;
  if (!changed && !(releases && !settled)) return std::nullopt;
  ProgressMark mark = partition.progress.mark(submitted_to);
  mark.clean = releases && settled;
  // What an owner before us left unsettled stays so until we have waited it out.
  mark.unsettled = !settled && (releases || partition.quiet_until);
  partition.submitted_to = mark.submitted_to;
  partition.recorded = committed;
  partition.unrecorded = 0;
  return Progress{.partition = number,
                  .epoch = partition.epoch,
                  .committed = committed,
                  .metadata = encode(mark, committed)};
}

void Worker::record() {
  if (recording_ || !wants_record()) return;
  RecordUnderWay under_way{.id = RecordId{++last_record_}};
  Record record{.id = under_way.id};
  for (auto& [number, partition] : partitions_) {
    const bool releases = can_release(number, partition);
    auto progress = progress_of(number, partition);
    if (!progress && !releases) continue;
    partition.recording = true;
    under_way.partitions.push_back({.partition = number,
                                    .epoch = partition.epoch,
                                    .submitted_to = partition.submitted_to,
                                    .releases = releases});
    if (progress) record.progress.push_back(std::move(*progress));
  }
  take_into(under_way, record);
  recorded_at_ = now_;
  recording_ = std::move(under_way);
  if (record.progress.empty()) {
    // Nothing to write: what is known is durable already.
    ensure(record.conclusions.empty());
    Recorded done{.id = record.id, .durable = true};
    take(done);
    return;
  }
  out_->record = std::move(record);
}

void Worker::take_into(RecordUnderWay& under_way, Record& record) {
  RecordedPartition* last = nullptr;
  for (std::size_t i = 0; i < conclusions_.size(); ++i) {
    const Delivery& delivery = conclusions_[i].delivery;
    if (const auto* change = std::get_if<Change>(&delivery.content)) {
      if (frees_key_[i] != nullptr) under_way.keys.emplace_back(change->key, frees_key_[i]);
      if (change->lane == Lane::offerings) {
        under_way.offerings.push_back(organization_pointer(change->organization));
      }
    }
    if (last == nullptr || last->partition != delivery.position.partition) {
      last = &*std::find_if(under_way.partitions.begin(), under_way.partitions.end(),
                            [&](const RecordedPartition& partition) {
                              return partition.partition == delivery.position.partition;
                            });
    }
    last->bytes += delivery.cost();
  }
  const std::size_t size = conclusions_.size();
  record.conclusions = std::exchange(conclusions_, {});
  conclusions_.reserve(size);  // the next record is about as large; growing moves it all
  record.batches = std::exchange(batch_facts_, {});
  frees_key_.clear();
}

void Worker::take(Recorded& input) {
  ensure(recording_ && recording_->id == input.id);
  const RecordUnderWay done = std::move(*recording_);
  recording_.reset();
  for (Organization* organization : done.offerings) --organization->offerings_open;
  for (const RecordedPartition& recorded : done.partitions) {
    PartitionState* partition = partition_of(recorded.partition, recorded.epoch);
    if (partition == nullptr) continue;
    partition->recording = false;
    partition->bytes -= recorded.bytes;
    const bool was_revoking = partition->revoking;
    if (recorded.releases || (!input.durable && was_revoking)) {
      if (input.durable) {
        out_->source.release.emplace_back(recorded.partition, recorded.epoch);
      } else {
        late_releases_.push_back({recorded.partition, recorded.epoch});
      }
      drop_partition(recorded.partition);
    } else if (!input.durable) {
      out_->source.reread.push_back(recorded.partition);
      rereading_.insert(recorded.partition);
      drop_partition(recorded.partition);
    } else {
      partition->submittable_to = std::max(partition->submittable_to, recorded.submitted_to);
      if (!partition->recovering) place_unready(*partition);
    }
  }
  for (const auto& [member, key] : done.keys) {
    key->concluding = false;
    free_key(member, *key);
  }
}

/// Nothing of the partition's number is in flight or may still be executed.
bool Worker::is_quiet(Partition number) const {
  const auto flights = flights_.find(number);
  return flights == flights_.end() ||
         (flights->second.in_flight == 0 && flights->second.unsettled_until <= now_);
}

void Worker::release_late() {
  std::erase_if(late_releases_, [this](const LateRelease& late) {
    if (!is_quiet(late.partition)) return false;
    out_->source.release.emplace_back(late.partition, late.epoch);
    return true;
  });
}

/// The key's request is over and its conclusion durable: what waits for it may go on.
void Worker::free_key(const MemberKey& member, KeyState& key) {
  if (key.waiting != Slots::none && !key.is_excluded() &&
      slots_[key.waiting].place == Place::blocked) {
    place(key.waiting, key);
  }
  remember_key(member, key);
}

/// A lost partition's conclusions are not published; its changes will be read again.
void Worker::discard_conclusions_of(Partition number) {
  std::vector<Conclusion> kept;
  std::vector<KeyState*> kept_frees;
  std::vector<std::uint32_t> moved(conclusions_.size(), Conclusion::no_index);
  for (std::size_t i = 0; i < conclusions_.size(); ++i) {
    Conclusion& conclusion = conclusions_[i];
    if (conclusion.delivery.position.partition != number) {
      moved[i] = static_cast<std::uint32_t>(kept.size());
      kept.push_back(std::move(conclusion));
      kept_frees.push_back(frees_key_[i]);
      continue;
    }
    const auto* change = std::get_if<Change>(&conclusion.delivery.content);
    if (change == nullptr) continue;
    if (change->lane == Lane::offerings) {
      --organization_pointer(change->organization)->offerings_open;
    }
    if (frees_key_[i] != nullptr) {
      frees_key_[i]->concluding = false;
      free_key(change->key, *frees_key_[i]);
    }
  }
  for (Conclusion& conclusion : kept) {
    if (conclusion.superseded_by != Conclusion::no_index) {
      conclusion.superseded_by = moved[conclusion.superseded_by];
    }
  }
  conclusions_ = std::move(kept);
  frees_key_ = std::move(kept_frees);
}

void Worker::finish() {
  if (settings_.drain && !stopping_ && partitions_.size() >= assigned_together_ && !recording_ &&
      conclusions_.empty()) {
    const bool done = std::all_of(partitions_.begin(), partitions_.end(), [](const auto& entry) {
      return entry.second.progress.committed() >= entry.second.end &&
             entry.second.recorded >= entry.second.end;
    });
    if (done) begin_stop();
  }
  finished_ = stopping_ && partitions_.empty() && !recording_ && late_releases_.empty() &&
              std::all_of(rereading_.begin(), rereading_.end(),
                          [this](Partition number) { return is_quiet(number); });
}

}  // namespace helsekontakter

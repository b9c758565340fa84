// Recording: conclusions become durable together, and only then free their keys.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
/// Moves the delivery of a slot to the next record and gives the slot back.
Conclusion& Worker::add_conclusion(Slot slot, Verdict verdict, Reason reason, KeyState* frees_key) {
  Held& held = slots_[slot];
  PartitionState* partition = partition_of(held.position.partition, held.epoch);
  ensure(partition != nullptr);
  if (held.key != nullptr && held.key->parked == slot) held.key->parked = Slots::none;
  // A parked one was settled when it was parked.
  if (!held.parked) partition->progress.conclude(held.position.offset);
  ++partition->unrecorded;
  end_stall(held, *partition);
  conclusions_.push_back({.delivery = std::move(held.delivery),
                          .verdict = verdict,
                          .reason = reason,
                          .attempt = held.attempt,
                          .settles = !held.parked,
                          .batch = Conclusion::no_batch});
  const bool is_offering = held.is_change && held.lane == Lane::offerings;
  concluding_.push_back({.frees_key = frees_key,
                         .offering = is_offering ? held.organization : nullptr,
                         .partition = held.position.partition,
                         .bytes = held.cost});
  slots_.remove(slot);
  return conclusions_.back();
}

void Worker::conclude(Slot slot, Verdict verdict, Reason reason, const EntryAnswer& answer,
                      std::uint32_t batch) {
  const Held& held = slots_[slot];
  KeyState& key = key_of(slot);
  const PartitionState* partition = partition_of(held.position.partition, held.epoch);
  if (partition == nullptr) {
    (void)comes_back(slot);
    return;
  }
  ensure(key.in_flight == slot && !key.concluding);
  if (verdict == Verdict::inactive && key.ledger && key.waiting != Slots::none) {
    (void)comes_back(slot);  // the newer one that waits is what is to be tried again
    return;
  }
  key.in_flight = Slots::none;
  Organization& organization = *held.organization;
  conclude_chain(slot, verdict, reason, answer, batch);
  note(organization, organization.answer_brake, verdict == Verdict::rejected);
}

/// Concludes a change and what hangs on it. Its key stays excluded until that is durable.
void Worker::conclude_chain(Slot slot, Verdict verdict, Reason reason, const EntryAnswer& answer,
                            std::uint32_t batch, const std::optional<PutOff>& put_off) {
  const Held& held = slots_[slot];
  KeyState& key = key_of(slot);
  key.concluding = true;
  key.concluded_version = std::max(key.concluded_version, held.change().version);
  key.concluded_content = held.change().content;
  Remembered told{.verdict = verdict, .reason = reason, .round = held.attempt};
  if (key.ledger) told = remember(slot, verdict, reason, put_off);
  verdict = told.verdict;
  reason = told.reason;
  const EventDigest event = held.change().event;
  Slot older = held.chain;
  const auto head = static_cast<std::uint32_t>(conclusions_.size());
  Conclusion& conclusion = add_conclusion(slot, verdict, reason, &key);
  conclusion.round = told.round;
  conclusion.publishes = told.publishes;
  conclusion.next_attempt = told.next_attempt;
  conclusion.batch = batch;
  if (verdict != Verdict::accepted) {
    conclusion.text = answer.text;
    conclusion.endpoint_code = answer.code;
  }
  conclusion.endpoint_event_id = answer.event_id;
  while (older != Slots::none) {
    const Slot next = slots_[older].next;
    // What waits on speaks for itself alone: another event of the same content is over.
    const bool is_equal = slots_[older].as != ChainedAs::newer_version;
    const bool same =
        slots_[older].as == ChainedAs::same &&
        (is_terminal(verdict) || !key.ledger || slots_[older].change().event == event);
    const Reason why = is_equal ? Reason::version_equal : Reason::newer_version;
    Conclusion& hung =
        add_conclusion(older, same ? verdict : Verdict::superseded, same ? reason : why, nullptr);
    if (same) {
      hung.batch = batch;
      hung.attempt = conclusions_[head].attempt;
      hung.round = conclusions_[head].round;
      hung.publishes = conclusions_[head].publishes;
    } else {
      hung.superseded_by = head;
    }
    older = next;
  }
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

/// What comes after the memory is full, because it was on its way, is not taken in: what is taken
/// in is promised, so that the next owner has to read it back, and would read a little more again.
bool Worker::has_room_for(const PartitionState& partition, Offset offset) {
  const std::size_t taken = partition.bytes - partition.backlog_bytes;
  const bool reads_back = offset < partition.read_to;
  return partition.progress.admits(offset) && (reads_back || taken < partition.share);
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
  for (std::size_t i = 0; i < concluding_.size(); ++i) {
    const Concluding& one = concluding_[i];
    if (one.frees_key != nullptr) under_way.keys.push_back(one.frees_key);
    if (one.offering != nullptr) {
      const auto& change = std::get<Change>(conclusions_[i].delivery->content);
      under_way.offerings.push_back({.organization = one.offering,
                                     .key = change.key,
                                     .partition = one.partition,
                                     .version = change.version,
                                     .accepted = conclusions_[i].verdict == Verdict::accepted});
    }
    if (last == nullptr || last->partition != one.partition) {
      last = &*std::find_if(
          under_way.partitions.begin(), under_way.partitions.end(),
          [&](const RecordedPartition& partition) { return partition.partition == one.partition; });
    }
    last->bytes += one.bytes;
  }
  const std::size_t size = conclusions_.size();
  record.conclusions = std::exchange(conclusions_, {});
  conclusions_.reserve(size);  // the next record is about as large; growing moves it all
  record.batches = std::exchange(batch_facts_, {});
  for (const LedgerWrite& write : ledger_writes_) {
    if (write.entry.parked) under_way.dues.emplace_back(write.partition, write.entry.parked->due);
  }
  record.ledger = std::exchange(ledger_writes_, {});
  concluding_.clear();
}

void Worker::take(Recorded& input) {
  ensure(recording_ && recording_->id == input.id);
  const RecordUnderWay done = std::move(*recording_);
  recording_.reset();
  make_due_again();
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
  for (const auto& [number, due] : done.dues) {
    const auto found = partitions_.find(number);
    if (found == partitions_.end()) continue;
    std::optional<WallTime>& next = found->second.next_due;
    next = next ? std::min(*next, due) : due;
  }
  for (std::size_t i = 0; i < done.keys.size(); ++i) {
    if (i + fetched_ahead < done.keys.size()) fetch_lines(*done.keys[i + fetched_ahead]);
    done.keys[i]->concluding = false;
    free_key(*done.keys[i]);
  }
  for (const ConcludedOffering& offering : done.offerings) note_offering(offering, input.durable);
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
void Worker::free_key(KeyState& key) {
  if (key.waiting != Slots::none && !key.is_excluded() &&
      slots_[key.waiting].place == Place::blocked) {
    place(key.waiting, key);
  }
  remember_key(key);
}

/// A lost partition's conclusions are not published; its changes will be read again.
void Worker::discard_conclusions_of(Partition number) {
  std::erase_if(ledger_writes_,
                [&](const LedgerWrite& write) { return write.partition == number; });
  std::vector<Conclusion> kept;
  std::vector<Concluding> kept_concluding;
  std::vector<std::uint32_t> moved(conclusions_.size(), Conclusion::no_index);
  for (std::size_t i = 0; i < conclusions_.size(); ++i) {
    Conclusion& conclusion = conclusions_[i];
    if (concluding_[i].partition != number) {
      moved[i] = static_cast<std::uint32_t>(kept.size());
      kept.push_back(std::move(conclusion));
      kept_concluding.push_back(concluding_[i]);
      continue;
    }
    if (concluding_[i].offering != nullptr) --concluding_[i].offering->offerings_open;
    if (KeyState* key = concluding_[i].frees_key) {
      key->concluding = false;
      free_key(*key);
    }
  }
  for (Conclusion& conclusion : kept) {
    if (conclusion.superseded_by != Conclusion::no_index) {
      conclusion.superseded_by = moved[conclusion.superseded_by];
    }
  }
  conclusions_ = std::move(kept);
  concluding_ = std::move(kept_concluding);
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

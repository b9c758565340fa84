#include "adapters/ledger/ledger_host.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace helsekontakter::ledger {

/// Rings as long as its host is there; restores may outlive it.
class LedgerHost::Bell {
 public:
  explicit Bell(std::function<void()> wake) : wake_(std::move(wake)) {}
  void ring() {
    const std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }
  void remove() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
};

/// Partitions that are restored together.
struct LedgerHost::Job {
  std::map<Partition, Epoch> partitions;
  std::stop_source stop;
  TimePoint begun{};
  std::mutex mutex;  ///< guards the answer
  std::optional<Result<RestoredTables>> answer;
};

LedgerHost::LedgerHost(Settings settings, std::shared_ptr<LedgerStore> store,
                       std::function<void()> wake, Observer observer)
    : settings_(std::move(settings)),
      store_(std::move(store)),
      observer_(std::move(observer)),
      bell_(std::make_shared<Bell>(std::move(wake))),
      ledger_(settings_.form),
      keeper_({.keep_for = settings_.keep_for, .members_max = settings_.members_max}) {}

LedgerHost::~LedgerHost() {
  for (const auto& job : jobs_) job->stop.request_stop();
  bell_->remove();
}

void LedgerHost::prepare(TimePoint now, std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    if (const auto* assigned = std::get_if<Assigned>(&input)) {
      retire(now, assigned->partition);
      auto kept = keeper_.take(assigned->partition, now);
      to_restore_.insert_or_assign(
          assigned->partition,
          kept ? RestoredTable{std::move(kept->table), kept->position} : RestoredTable{});
      parts_[assigned->partition].epoch = assigned->epoch;
    } else if (const auto* lost = std::get_if<Lost>(&input)) {
      const auto part = parts_.find(lost->partition);
      if (part != parts_.end() && part->second.epoch == lost->epoch) retire(now, lost->partition);
    } else if (const auto* recorded = std::get_if<Recorded>(&input)) {
      if (recorded->durable) ledger_.apply(writing_);
      writing_.clear();
    }
  }
  end_restores(now);
  begin_restores(now);
  keeper_.drop(ledger_.figures().members, now);
  std::move(answers_.begin(), answers_.end(), std::back_inserter(inputs));
  answers_.clear();
  tell_room(inputs);
}

void LedgerHost::obey(TimePoint now, const Commands& commands) {
  if (commands.record) writing_ = commands.record->ledger;
  std::vector<LedgerLookup> at_once;
  for (const LedgerLookup& look_up : commands.look_ups) {
    const auto part = parts_.find(look_up.partition);
    const bool waits =
        part != parts_.end() && part->second.epoch == look_up.epoch && !part->second.restored;
    (waits ? part->second.look_ups : at_once).push_back(look_up);
  }
  if (!at_once.empty()) answers_.emplace_back(ledger_.look_up(at_once));
  for (const MakeDue& make_due : commands.make_due) {
    const auto part = parts_.find(make_due.partition);
    if (part == parts_.end() || part->second.epoch != make_due.epoch) continue;
    if (part->second.restored) {
      ledger_.make_due(make_due);
    } else {
      part->second.make_due.push_back(make_due);
    }
  }
  for (const ListOfferings& list : commands.list_offerings) {
    const auto part = parts_.find(list.partition);
    if (part == parts_.end() || part->second.epoch != list.epoch) continue;
    if (part->second.restored) {
      answers_.emplace_back(ledger_.list_offerings(list));
    } else {
      part->second.list_offerings = list;
    }
  }
  for (const TakeDue& take_due : commands.take_due) {
    const auto part = parts_.find(take_due.partition);
    if (part == parts_.end() || part->second.epoch != take_due.epoch) continue;
    if (part->second.restored) {
      answers_.emplace_back(ledger_.take_due(take_due));
    } else {
      part->second.take_due = take_due;
    }
  }
  for (const auto& [partition, epoch] : commands.source.release) {
    const auto part = parts_.find(partition);
    if (part != parts_.end() && part->second.epoch == epoch) retire(now, partition);
  }
}

/// The partition goes. What its table holds is durable, and stays right up to where it was restored
/// from: whatever was written since, by anybody, is read again when it comes back.
void LedgerHost::retire(TimePoint now, Partition partition) {
  to_restore_.erase(partition);
  const auto found = parts_.find(partition);
  if (found == parts_.end()) return;
  const Part part = std::move(found->second);
  parts_.erase(found);
  if (part.job) {
    part.job->partitions.erase(partition);
    if (part.job->partitions.empty()) part.job->stop.request_stop();
  }
  auto table = ledger_.release(partition);
  if (!part.restored || !table) return;
  keeper_.keep(partition, {.table = std::move(*table), .position = part.position},
               ledger_.figures().members, now);
}

void LedgerHost::begin_restores(TimePoint now) {
  if (to_restore_.empty() || (retry_at_ && now < *retry_at_)) return;
  retry_at_.reset();
  auto job = std::make_shared<Job>();
  job->begun = now;
  for (const auto& [partition, table] : to_restore_) {
    Part& part = parts_.at(partition);
    job->partitions.emplace(partition, part.epoch);
    part.job = job;
  }
  jobs_.push_back(job);
  std::thread([store = store_, bell = bell_, job, from = std::move(to_restore_)]() mutable {
    auto answer = store->restore(std::move(from), job->stop.get_token());
    {
      const std::lock_guard lock(job->mutex);
      job->answer.emplace(std::move(answer));
    }
    bell->ring();
  }).detach();
  to_restore_.clear();
}

void LedgerHost::end_restores(TimePoint now) {
  for (const std::shared_ptr<Job>& job : std::exchange(jobs_, {})) {
    std::optional<Result<RestoredTables>> answer;
    {
      const std::lock_guard lock(job->mutex);
      answer.swap(job->answer);
    }
    if (!answer && !job->partitions.empty()) jobs_.push_back(job);
    if (!answer || job->partitions.empty()) continue;
    if (*answer) {
      pause_ = Milliseconds{0};
      take_over(now, *job, std::move(**answer));
      continue;
    }
    const Error& error = answer->error();
    if (error.remedy == Remedy::stop) {
      observer_.refused(error);
      continue;
    }
    observer_.trouble(error);
    pause_ = std::clamp(pause_ * 2, settings_.pause_first, settings_.pause_max);
    retry_at_ = now + pause_;
    for (const auto& [partition, epoch] : job->partitions) {
      parts_.at(partition).job = nullptr;
      to_restore_.insert_or_assign(partition, RestoredTable{});
    }
  }
}

void LedgerHost::take_over(TimePoint now, Job& job, RestoredTables tables) {
  std::size_t members = 0;
  for (const auto& [partition, epoch] : job.partitions) {
    Part& part = parts_.at(partition);
    RestoredTable& restored = tables.at(partition);
    members += restored.table.size();
    part.job = nullptr;
    part.restored = true;
    part.position = restored.position;
    ledger_.assign(partition, epoch, std::move(restored.table));
    answer(part);
  }
  observer_.restored(job.partitions.size(), members, now - job.begun);
}

/// What waited for the partition's table. What is made due comes first: who looks a key up is to
/// learn that it is.
void LedgerHost::answer(Part& part) {
  for (const MakeDue& make_due : std::exchange(part.make_due, {})) ledger_.make_due(make_due);
  if (!part.look_ups.empty()) answers_.emplace_back(ledger_.look_up(part.look_ups));
  part.look_ups = {};
  if (part.list_offerings) answers_.emplace_back(ledger_.list_offerings(*part.list_offerings));
  part.list_offerings.reset();
  if (part.take_due) answers_.emplace_back(ledger_.take_due(*part.take_due));
  part.take_due.reset();
}

void LedgerHost::tell_room(std::vector<Input>& inputs) {
  const Ledger::Figures figures = ledger_.figures();
  const bool members = figures.members >= settings_.members_max;
  const bool full = members || figures.parked >= settings_.parked_max;
  if (full == full_) return;
  full_ = full;
  inputs.emplace_back(
      LedgerRoom{.full = full, .limit = members ? "ledger.members_max" : "ledger.parked_max"});
}

std::size_t LedgerHost::restoring() const {
  return static_cast<std::size_t>(std::count_if(
      parts_.begin(), parts_.end(), [](const auto& part) { return !part.second.restored; }));
}

}  // namespace helsekontakter::ledger

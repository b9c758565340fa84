#include "tests/simulation/broker.h"

#include "worker/ordering/progress.h"

#include <algorithm>

namespace helsekontakter::simulation {

void Broker::append(Partition partition, Event event, Offset gap) {
  Log& to = log(partition);
  to.events.emplace(to.end + gap, event);
  to.end += gap + 1;
}

const Event& Broker::event(Position position) {
  return log(position.partition).events.at(position.offset);
}

bool Broker::commit(const Record& record, const std::map<Partition, std::uint64_t>& owners) {
  for (const Progress& progress : record.progress) {
    const auto owner = owners.find(progress.partition);
    if (owner == owners.end() || owner->second != log(progress.partition).owner) return false;
  }
  for (const Conclusion& conclusion : record.conclusions) {
    const Partition partition = conclusion.delivery.position.partition;
    const bool sends_offset =
        std::any_of(record.progress.begin(), record.progress.end(),
                    [&](const Progress& progress) { return progress.partition == partition; });
    if (!sends_offset) faults_.push_back("a result without its partition's offset: not fenced");
    publish(conclusion);
  }
  for (const Progress& progress : record.progress) {
    Log& to = log(progress.partition);
    if (progress.committed < to.committed) faults_.push_back("a committed offset went back");
    if (progress.metadata.size() > 4096) faults_.push_back("metadata over the broker's limit");
    check_settled(progress);
    to.committed = progress.committed;
    to.metadata = progress.metadata;
  }
  return true;
}

/// Nothing is settled, below the committed offset or above it, without its result.
void Broker::check_settled(const Progress& progress) {
  const auto mark = decode(progress.metadata, progress.committed);
  if (!mark) {
    faults_.push_back("metadata that cannot be read");
    return;
  }
  const auto check = [&](Offset from, Offset to) {
    const auto& events = log(progress.partition).events;
    for (auto at = events.lower_bound(from); at != events.end() && at->first < to; ++at) {
      if (!at->second.tombstone && verdicts({progress.partition, at->first}) == nullptr) {
        faults_.push_back("settled without a result: " + at->second.text());
      }
    }
  };
  check(log(progress.partition).committed, progress.committed);
  for (const auto& [from, to] : mark->concluded) check(from, to);
}

void Broker::publish(const Conclusion& conclusion) {
  const Position position = conclusion.delivery.position;
  const Event& of = event(position);
  Verdicts& verdicts = results_[{position.partition, position.offset}];
  if (is_terminal(conclusion.verdict)) {
    ++verdicts.terminal;
  } else {
    ++verdicts.inactive;
  }
  verdicts.last = conclusion.verdict;
  if (verdicts.terminal + verdicts.inactive > 1) faults_.push_back("a second result: " + of.text());
  if (conclusion.verdict == Verdict::rejected && of.nature != Nature::invalid &&
      of.nature != Nature::poison_400) {
    faults_.push_back("a good change was rejected: " + of.text());
  }
  if (conclusion.verdict == Verdict::accepted &&
      (of.nature == Nature::inactive || of.nature == Nature::invalid)) {
    faults_.push_back("accepted, but the endpoint said otherwise: " + of.text());
  }
  if (conclusion.superseded_by != Conclusion::no_index &&
      conclusion.verdict != Verdict::superseded) {
    faults_.push_back("a successor without the verdict: " + of.text());
  }
}

const Broker::Verdicts* Broker::verdicts(Position position) const {
  const auto found = results_.find({position.partition, position.offset});
  return found == results_.end() ? nullptr : &found->second;
}

bool Broker::all_concluded() const {
  for (std::size_t partition = 0; partition < logs_.size(); ++partition) {
    for (const auto& [offset, event] : logs_[partition].events) {
      if (event.tombstone) continue;
      if (verdicts({Partition{static_cast<std::int32_t>(partition)}, offset}) == nullptr) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace helsekontakter::simulation

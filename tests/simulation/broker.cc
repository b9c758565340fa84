#include "tests/simulation/broker.h"

#include "worker/ordering/progress.h"

#include <algorithm>

namespace helsekontakter::simulation {
namespace {

constexpr Milliseconds clock_skew_max = std::chrono::minutes(5);

}  // namespace

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
  for (const LedgerWrite& write : record.ledger) {
    const ParkedChange* parked = write.entry.parked.get();
    if (parked != nullptr && parked->why == Reason::none) {
      parked_.insert(identity_of(event({write.partition, parked->offset})));
    }
  }
  for (const Conclusion& conclusion : record.conclusions) {
    const Partition partition = conclusion.delivery->position.partition;
    const bool sends_offset =
        std::any_of(record.progress.begin(), record.progress.end(),
                    [&](const Progress& progress) { return progress.partition == partition; });
    if (!sends_offset) faults_.push_back("a result without its partition's offset: not fenced");
    publish(record, conclusion);
  }
  for (const LedgerWrite& write : record.ledger) {
    log(write.partition).ledger.insert_or_assign(write.key, write.entry);
  }
  for (const Progress& progress : record.progress) {
    Log& to = log(progress.partition);
    if (progress.committed < to.committed) faults_.push_back("a committed offset went back");
    if (progress.metadata.size() > metadata_characters_max_)
      faults_.push_back("metadata over the broker's limit");
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
      if (!at->second.tombstone && verdicts({progress.partition, at->first}) == nullptr &&
          !parked_.contains(identity_of(at->second))) {
        faults_.push_back("settled without a result: " + at->second.text());
      }
    }
  };
  check(log(progress.partition).committed, progress.committed);
  for (const auto& [from, to] : mark->concluded) check(from, to);
}

void Broker::check_indexes(const Record& record, const Conclusion& conclusion) {
  const std::string text = event(conclusion.delivery->position).text();
  const bool in_a_batch = conclusion.batch != Conclusion::no_batch;
  if (in_a_batch && conclusion.batch >= record.batches.size()) {
    faults_.push_back("a batch that the record does not hold: " + text);
  }
  const bool may_repeat = inactive_comes_back && !in_a_batch;
  if (in_a_batch != (conclusion.attempt > 0) && conclusion.verdict != Verdict::superseded &&
      !may_repeat) {
    faults_.push_back("a batch without an attempt, or the reverse: " + text);
  }
  if (conclusion.superseded_by == Conclusion::no_index) return;
  if (conclusion.superseded_by >= record.conclusions.size()) {
    faults_.push_back("a successor that the record does not hold: " + text);
    return;
  }
  const Conclusion& successor = record.conclusions[conclusion.superseded_by];
  const auto* older = std::get_if<Change>(&conclusion.delivery->content);
  const auto* newer = std::get_if<Change>(&successor.delivery->content);
  if (older == nullptr || newer == nullptr || older->key != newer->key ||
      older->version > newer->version) {
    faults_.push_back("a successor that is none: " + text);
  }
}

void Broker::publish(const Record& record, const Conclusion& conclusion) {
  check_indexes(record, conclusion);
  const Position position = conclusion.delivery->position;
  const Event& of = event(position);
  if (!conclusion.publishes) {
    const bool waits = verdicts(position) != nullptr || parked_.contains(identity_of(of));
    if (!inactive_comes_back || is_terminal(conclusion.verdict) || !waits) {
      faults_.push_back("concluded without a result: " + of.text());
    }
    parked_.insert(identity_of(of));
    return;
  }
  if (is_terminal(conclusion.verdict)) over_.insert(identity_of(of));
  published_.push_back(position);
  Verdicts& verdicts = results_[{position.partition, position.offset}];
  if (is_terminal(conclusion.verdict)) {
    ++verdicts.terminal;
  } else {
    ++verdicts.inactive;
  }
  verdicts.last = conclusion.verdict;
  const std::uint32_t inactive_max = every_inactive ? 1'000'000 : 1;
  if (verdicts.terminal > 1 || verdicts.inactive > inactive_max ||
      (!inactive_comes_back && verdicts.terminal + verdicts.inactive > 1)) {
    faults_.push_back("a second result: " + of.text());
  }
  const bool fails = of.nature == Nature::poison_500;
  const bool told_why =
      conclusion.reason == (fails ? Reason::exhausted_too_long : Reason::inactive_too_long);
  if (conclusion.verdict == Verdict::expired &&
      ((of.nature != Nature::inactive && !fails) || !told_why)) {
    faults_.push_back("expired without its reason: " + of.text());
  }
  if (conclusion.verdict == Verdict::expired && std::chrono::abs(clock_skew) > clock_skew_max) {
    faults_.push_back("expired by a clock that is wrong: " + of.text());
  }
  if (conclusion.verdict == Verdict::rejected && of.nature != Nature::invalid &&
      of.nature != Nature::poison_400) {
    faults_.push_back("a good change was rejected: " + of.text());
  }
  if (conclusion.verdict == Verdict::accepted &&
      ((of.nature == Nature::inactive && !inactive_comes_back) || of.nature == Nature::invalid)) {
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

bool Broker::is_over(Position position, const Event& event) const {
  const Verdicts* known = verdicts(position);
  // What was parked without a word is told of once, where the same event stands twice.
  if (known == nullptr)
    return over_.contains(identity_of(event)) && parked_.contains(identity_of(event));
  // The same event may stand in the input twice; what is told of one is told of both.
  return !inactive_comes_back || known->terminal > 0 || over_.contains(identity_of(event));
}

std::vector<Position> Broker::missing() const {
  std::vector<Position> missing;
  for (std::size_t number = 0; number < logs_.size(); ++number) {
    for (const auto& [offset, event] : logs_[number].events) {
      const Position position{Partition{static_cast<std::int32_t>(number)}, offset};
      if (!event.tombstone && !is_over(position, event)) missing.push_back(position);
    }
  }
  return missing;
}

Offset Broker::submitted_to(Partition partition) const {
  const Log& of = logs_[static_cast<std::size_t>(partition)];
  const auto mark = decode(of.metadata, of.committed);
  return mark ? mark->submitted_to : of.committed;
}

bool Broker::is_parked(Position position) const {
  const auto& ledger = logs_[static_cast<std::size_t>(position.partition)].ledger;
  return std::any_of(ledger.begin(), ledger.end(), [&](const auto& entry) {
    const auto& parked = entry.second.parked;
    return parked && parked->offset == position.offset;
  });
}

}  // namespace helsekontakter::simulation

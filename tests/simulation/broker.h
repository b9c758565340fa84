#pragma once

#include "tests/simulation/event.h"
#include "worker/ports/commands.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace helsekontakter::simulation {

/// A topic, its group's committed offsets and a results topic, with transactions and fencing.
class Broker {
 public:
  struct Log {
    std::map<Offset, Event> events;  // offsets have gaps, as behind compaction
    Offset end = 0;
    Offset committed = 0;
    std::string metadata;
    std::uint64_t owner = 0;  // the assignment that may commit; 0: none
    std::map<MemberKey, LedgerEntry> ledger;
  };
  struct Verdicts {
    std::uint32_t terminal = 0;
    std::uint32_t inactive = 0;
    Verdict last = Verdict::accepted;
  };

  Broker(std::uint32_t partitions, std::size_t metadata_characters_max)
      : logs_(partitions), metadata_characters_max_(metadata_characters_max) {}

  void append(Partition partition, Event event, Offset gap);
  [[nodiscard]] Log& log(Partition partition) { return logs_[static_cast<std::size_t>(partition)]; }
  [[nodiscard]] const Event& event(Position position);
  [[nodiscard]] std::uint32_t partitions() const {
    return static_cast<std::uint32_t>(logs_.size());
  }

  /// Commits a record as one transaction: refused when any of its partitions has another owner.
  /// `owners` tells the owner that the worker believes it is, by partition.
  [[nodiscard]] bool commit(const Record& record, const std::map<Partition, std::uint64_t>& owners);

  /// Every violation found so far; empty is good.
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  [[nodiscard]] const Verdicts* verdicts(Position position) const;
  /// Where the events of all results stand, in the order of the results.
  [[nodiscard]] const std::vector<Position>& published() const { return published_; }
  /// What was appended and has no result. Where something is allowed to wait, that is left out.
  [[nodiscard]] std::vector<Position> missing() const;
  /// An inactive change is to have another result in the end.
  bool inactive_comes_back = false;
  /// The endpoint's clock minus the workers'.
  Milliseconds clock_skew{0};
  bool every_inactive = false;
  /// Nothing at or above this may be submitted, but what is parked: the promise that is durable.
  [[nodiscard]] Offset submitted_to(Partition partition) const;
  /// The ledger keeps this change, so that whoever comes next knows of it unread.
  [[nodiscard]] bool is_parked(Position position) const;

 private:
  [[nodiscard]] bool is_over(Position position, const Event& event) const;
  void publish(const Record& record, const Conclusion& conclusion);
  void check_indexes(const Record& record, const Conclusion& conclusion);
  void check_settled(const Progress& progress);

  std::vector<Log> logs_;
  std::size_t metadata_characters_max_;
  using Identity = std::tuple<Lane, std::uint32_t, std::uint32_t, std::uint32_t>;
  [[nodiscard]] static Identity identity_of(const Event& event) {
    return {event.lane, event.organization, event.member, event.version};
  }

  std::map<std::pair<Partition, Offset>, Verdicts> results_;
  std::vector<Position> published_;
  std::set<Identity> over_;    // events that have a terminal verdict
  std::set<Identity> parked_;  // events that were parked without a word
  std::vector<std::string> faults_;
};

}  // namespace helsekontakter::simulation

#pragma once

#include <chrono>
#include <optional>

namespace helsekontakter::kafka {

/// Whether this process may believe that its partitions are still its own. A process that was
/// frozen, or cut off from the group's coordinator, may have been replaced without knowing; so it
/// believes only while the coordinator was heard from recently and while its own turns come in
/// time by two clocks: the one that counts suspended time, and civil time, which also shows a
/// virtual machine that stood still. Pure: the clocks are arguments. Source: design.md, section 7.
class CoordinatorContact {
 public:
  using Duration = std::chrono::microseconds;

  /// Both clocks, read together. Their starts are arbitrary.
  struct Clocks {
    Duration boot{};
    Duration real{};
  };

  explicit CoordinatorContact(Duration silence_max) : silence_max_(silence_max) {}

  /// The consumer's loop turned.
  void turned(Clocks now);
  /// The coordinator was last heard from `silence` ago.
  void heard(Clocks now, Duration silence);
  /// Begins anew with a new client: nothing was heard yet.
  void reset() { heard_.reset(); }

  /// True while the last word of the coordinator and the last turn are recent by both clocks.
  [[nodiscard]] bool is_recent(Clocks now) const;

 private:
  [[nodiscard]] bool within(Clocks from, Clocks now) const;

  Duration silence_max_;
  std::optional<Clocks> turned_;
  std::optional<Clocks> heard_;
};

}  // namespace helsekontakter::kafka

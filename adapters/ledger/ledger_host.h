#pragma once

#include "adapters/ledger/ledger_store.h"
#include "worker/ledger/keeper.h"
#include "worker/ledger/ledger.h"
#include "worker/ports/commands.h"
#include "worker/ports/inputs.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace helsekontakter::ledger {

/// The ledger port of one process: holds the tables of the partitions that are ours and answers the
/// core from them. A partition that comes is restored on a thread of its own; until that has ended
/// its look-ups wait, and they are as many as the core holds changes. A partition that goes leaves
/// its table behind for a while, in case it comes back. Belongs to the thread that drives the core:
///   prepare(inputs) → the core's turn → obey(commands), and so on.
class LedgerHost {
 public:
  struct Settings {
    BundleForm form;
    std::size_t members_max = 2'000'000;  ///< of all tables; at the limit nothing more is read
    std::size_t parked_max = 1'000'000;
    Milliseconds keep_for{3'600'000};
    Milliseconds pause_first{1'000};  ///< before a restore that failed is tried again; doubles
    Milliseconds pause_max{30'000};
  };
  /// All are called on the core's thread.
  struct Observer {
    std::function<void(std::size_t partitions, std::size_t members, Milliseconds took)> restored;
    std::function<void(const Error&)> trouble;  ///< it is tried again
    std::function<void(const Error&)> refused;  ///< the worker is not to go on
  };
  /// `wake` is called on another thread when prepare() has something to do; not after the end of
  /// this host.
  LedgerHost(Settings settings, std::shared_ptr<LedgerStore> store, std::function<void()> wake,
             Observer observer);
  /// Does not wait for restores under way.
  ~LedgerHost();
  LedgerHost(const LedgerHost&) = delete;
  LedgerHost& operator=(const LedgerHost&) = delete;

  /// Before a turn: takes note of `inputs` and adds the ledger's answers to them. What a record
  /// made durable is in the table before the core is told so.
  void prepare(TimePoint now, std::vector<Input>& inputs);
  /// After a turn: remembers what is being recorded, and answers what was asked.
  void obey(TimePoint now, const Commands& commands);

  /// There is something to tell the core at once.
  [[nodiscard]] bool has_answers() const { return !answers_.empty(); }
  /// When prepare() has something to do by time alone.
  [[nodiscard]] std::optional<TimePoint> wake_at() const { return retry_at_; }

  /// Partitions that are ours and not restored yet.
  [[nodiscard]] std::size_t restoring() const;
  [[nodiscard]] Ledger::Figures figures() const { return ledger_.figures(); }

 private:
  struct Job;
  struct Part {
    Epoch epoch{};
    bool restored = false;
    Offset position = 0;  ///< of the table, when it was restored
    std::shared_ptr<Job> job;
    std::vector<LedgerLookup> look_ups;  ///< that wait for it
    std::vector<MakeDue> make_due;
    std::optional<TakeDue> take_due;
    std::optional<ListOfferings> list_offerings;
  };
  class Bell;

  void retire(TimePoint now, Partition partition);
  void begin_restores(TimePoint now);
  void end_restores(TimePoint now);
  void take_over(TimePoint now, Job& job, RestoredTables tables);
  void answer(Part& part);
  void tell_room(std::vector<Input>& inputs);

  const Settings settings_;
  const std::shared_ptr<LedgerStore> store_;
  const Observer observer_;
  const std::shared_ptr<Bell> bell_;

  Ledger ledger_;
  LedgerKeeper keeper_;
  std::map<Partition, Part> parts_;
  RestoredTables to_restore_;  ///< kept or empty tables of partitions that came
  std::vector<std::shared_ptr<Job>> jobs_;
  std::optional<TimePoint> retry_at_;
  Milliseconds pause_{0};
  std::vector<LedgerWrite> writing_;  ///< of the record under way
  std::vector<Input> answers_;
  bool full_ = false;
};

}  // namespace helsekontakter::ledger

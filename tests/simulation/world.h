#pragma once

#include "tests/simulation/broker.h"
#include "tests/simulation/endpoint.h"
#include "tests/simulation/fake_source.h"
#include "tests/simulation/scenario.h"
#include "worker/worker.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

namespace helsekontakter::simulation {

/// Several workers, a broker, a group coordinator and an endpoint in virtual time. Everything
/// follows from the seed.
class World {
 public:
  explicit World(Scenario scenario);

  /// The storm, then a calm in which nothing is restarted, until everything is concluded.
  /// Returns the faults found; empty is good.
  [[nodiscard]] std::vector<std::string> run();

  /// The scenario's kind and what each process is about, for the message of a failure.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::uint64_t requests() const { return endpoint_.requests(); }
  [[nodiscard]] std::uint64_t questions() const { return endpoint_.questions(); }
  [[nodiscard]] std::size_t bytes_held_max() const { return bytes_held_max_; }
  /// From the end of the storm until everything was concluded.
  [[nodiscard]] Milliseconds calm_took() const { return calm_took_; }
  /// Entries that the endpoint executed before the calm.
  [[nodiscard]] std::uint64_t executed_in_storm() const { return executed_in_storm_; }

 private:
  struct Table {
    std::map<MemberKey, LedgerEntry> entries;
    std::set<MemberKey> handed_out;
  };
  /// One process: its core and what its adapters would know.
  struct Process {
    std::uint64_t id = 0;
    Worker worker;
    FakeSource source;
    std::map<Partition, Table> tables;
    std::vector<Input> inputs;
    bool turn_scheduled = false;
    bool alive = true;
    bool stopping = false;
    bool lost = false;  // the coordinator forgets it after the session timeout, not before
    std::optional<TimePoint> wake_at;
    TimePoint obeys_at{};          // the last order to its source
    TimePoint speaks_at{};         // the last fact of it that the shared topic takes
    TimePoint hears_at{};          // the last fact that it is told
    TimePoint idle_since{};        // begin of the second in which idle turns are counted
    std::uint32_t idle_turns = 0;  // turns by the time alone in which nothing happened
  };
  struct Happening {
    TimePoint at;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const Happening& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void produce(std::size_t count);
  [[nodiscard]] std::size_t coming_now();
  void at(Milliseconds after, std::function<void()> act);
  void advance_until(TimePoint end);
  void start_process();
  void crash(Process& process);
  void stop(Process& process);
  void lose(Process& process);
  void leave(std::uint64_t id);
  void rebalance();
  void assign_all();
  void assign(Process& process, Partition partition);
  void let_go(Process& process, SourceOrders::Owned order);
  void feed(Process& process);
  void input(Process& process, Input input);
  void turn(Process& process);
  void tell(Process& process, std::vector<SharedFact> facts);
  void take_fact(const SharedFact& fact);
  void set_paused(Process& process, SourceOrders::Owned order, bool paused);
  void obey(Process& process, Commands& commands);
  void submit(Process& process, Submit submit);
  void ask(Process& process, const AskStatus& question);
  void look_up(Process& process, Commands& commands);
  static void make_due(Process& process, const MakeDue& command);
  [[nodiscard]] DueChanges due_of(Process& process, const TakeDue& command);
  [[nodiscard]] LedgerOfferings offerings_of(Process& process, const ListOfferings& command);
  static void apply(Process& process, const Record& record);
  void commit(Process& process, Record record);
  void make_trouble();
  void check_end();
  void check_waits();
  void check_memory();
  void note_idle_turn(Process& process, const Commands& commands);
  void note_brakes(const Commands& commands);
  /// Events without a result that should have one.
  [[nodiscard]] std::vector<Position> missing();
  [[nodiscard]] bool may_wait(const Event& event) const;
  void note_faults(const std::vector<std::string>& faults);
  [[nodiscard]] Process* find(std::uint64_t id);
  [[nodiscard]] Milliseconds up_to(std::int64_t ms) {
    return Milliseconds(static_cast<std::int64_t>(random_.up_to(static_cast<std::uint64_t>(ms))));
  }

  Scenario scenario_;
  Random random_;
  Broker broker_;
  Endpoint endpoint_;
  TimePoint now_{};
  std::uint64_t order_ = 0;
  std::priority_queue<Happening> happenings_;
  std::map<std::string, SharedFact> shared_;  // the newest fact of each subject
  std::vector<std::unique_ptr<Process>> processes_;
  std::uint64_t last_process_ = 0;
  std::uint64_t last_epoch_ = 0;
  std::uint64_t last_owner_ = 0;
  std::set<std::uint64_t> letting_go_;  // processes that a rebalance waits for
  bool rebalancing_ = false;
  bool stormy_ = true;
  bool records_fail_ = false;
  bool records_crawl_ = false;
  std::vector<std::pair<Partition, Event>> coming_;
  std::size_t produced_ = 0;
  std::set<OrganizationNumber> braked_;
  bool source_braked_ = false;
  Milliseconds calm_took_{0};
  std::uint64_t executed_in_storm_ = 0;
  std::uint64_t turns_ = 0;
  std::size_t bytes_held_max_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace helsekontakter::simulation

#pragma once

#include "adapters/inbox/inbox.h"
#include "worker/ports/commands.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// What every pair of a source and a recorder must do, whatever they are made of: the source port
// and the record port as worker/ports says them. The tests are in ports_contract.cc; an executable
// names the pairs that it has at hand by INSTANTIATE_TEST_SUITE_P.

namespace helsekontakter {

using namespace std::chrono_literals;

/// A result as a consumer of results sees it.
struct SeenResult {
  Uuid id;
  std::string event;
  std::string verdict;
};

/// A source and a recorder with their outside world, as a test sees them. Of events that a test
/// puts there, only the name matters; all of them lie in one partition.
class PortsUnderTest {
 public:
  virtual ~PortsUnderTest() = default;

  /// The outside world writes change events, in this order; they are there when it returns.
  virtual void put(const std::vector<std::string>& names) = 0;
  /// What it sees of all results by now.
  virtual std::vector<SeenResult> results() = 0;
  /// The payloads of dead letters, in the same way.
  virtual std::vector<std::string> dead_letters() = 0;

  /// A process begins: source and recorder, with an inbox of their own.
  virtual void begin() = 0;
  /// It ends in order: everything is recorded, nothing is under way.
  virtual void end() = 0;
  /// It ends and leaves everything as it is.
  virtual void die() = 0;

  virtual void take(std::vector<Input>& inputs, std::chrono::steady_clock::time_point deadline) = 0;
  virtual void order(SourceOrders orders) = 0;
  virtual void record(Record record) = 0;
  [[nodiscard]] virtual bool still_ours(
      std::span<const std::pair<Partition, Epoch>> under) const = 0;
  [[nodiscard]] virtual std::string name_of(const Delivery& delivery) const = 0;
  /// What was said to the operator.
  [[nodiscard]] virtual std::string troubles() const { return {}; }
};

struct KindOfPorts {
  std::string name;
  std::function<std::unique_ptr<PortsUnderTest>()> make;
  /// A record under an epoch that is over publishes nothing. Else its results are repeated, with
  /// the same ids: what is published and what is settled are not one transaction.
  bool fences = true;
};

inline void PrintTo(const KindOfPorts& kind, std::ostream* out) {
  *out << kind.name;
}

/// The test is the core.
class PortsContract : public ::testing::TestWithParam<KindOfPorts> {
 protected:
  void SetUp() override { ports_ = GetParam().make(); }
  void TearDown() override;

  /// Begins a process that knows nothing of what was told before.
  void begin();
  /// Takes inputs until the predicate holds; false when it does not within the time.
  [[nodiscard]] bool take_until(const std::function<bool()>& holds,
                                std::chrono::milliseconds within = 60s);
  [[nodiscard]] bool take_assigned();
  /// Until this one has come; of what came more than once, the last delivery is kept.
  [[nodiscard]] bool take_to(const std::string& name);
  void take_for(std::chrono::milliseconds time);

  /// The names of what came since begin() or forget(), in order.
  [[nodiscard]] std::vector<std::string> came() const;
  void forget() { deliveries_.clear(); }

  [[nodiscard]] SourceOrders::Owned owned() const { return {Partition{0}, assigned_->epoch}; }
  /// The first `count` of what came are concluded, under the present epoch.
  [[nodiscard]] Record record_of(std::size_t count, Verdict verdict = Verdict::accepted,
                                 Reason reason = Reason::none);
  /// Writes it; nothing when there was no answer.
  [[nodiscard]] std::optional<bool> write(Record record);
  /// All results: once so many are there (a commit of Kafka is seen a moment after it was
  /// answered), and with what comes a moment later.
  [[nodiscard]] std::vector<SeenResult> results(std::size_t expected);
  [[nodiscard]] std::vector<std::string> events_of(const std::vector<SeenResult>& results) const;

  std::unique_ptr<PortsUnderTest> ports_;
  std::optional<Assigned> assigned_;  ///< none: told Lost since
  std::vector<Delivery> deliveries_;
  std::vector<Lost> lost_;
  std::vector<Recorded> answers_;

 private:
  void note(Input& input);

  std::uint64_t records_ = 0;
};

/// Of those that write dead letters.
using DeadLetterContract = PortsContract;

}  // namespace helsekontakter

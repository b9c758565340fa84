#pragma once

#include "adapters/crypto/password.h"
#include "adapters/kafka/observer.h"
#include "adapters/kafka/settings.h"
#include "adapters/ledger/identity.h"
#include "worker/domain/result.h"
#include "worker/ledger/shared.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace helsekontakter::kafka {

/// How to reach the shared topic: one partition, cleanup.policy=compact.
struct SharedTopic {
  Connection connection;
  crypto::Password password;
  std::string topic;
  std::string group;  ///< the source's: its rights cover reading this topic too
};

/// Writes facts for all workers to see, on a thread of its own. What was published is kept until
/// the broker has it, one fact for each subject, the newest: so what waits is bounded by the number
/// of organisations and offerings, however long the brokers are away.
class SharedTopicWriter {
 public:
  SharedTopicWriter(SharedTopic where, Observer observer);
  ~SharedTopicWriter();
  SharedTopicWriter(const SharedTopicWriter&) = delete;
  SharedTopicWriter& operator=(const SharedTopicWriter&) = delete;

  [[nodiscard]] Result<void> start();

  /// Any thread; never blocks.
  void publish(const std::vector<SharedFact>& facts);
  void publish(const ledger::Identity& identity);

  /// Blocks until the broker has all that was published; for `control` and for a clean stop.
  [[nodiscard]] Result<void> flush(std::chrono::steady_clock::time_point deadline);

  /// Ends the thread within a poll; what waits is given up.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace helsekontakter::kafka

#pragma once

#include "adapters/cli/ledgers.h"
#include "adapters/inbox/inbox.h"
#include "adapters/kafka/shared_topic_reader.h"
#include "adapters/kafka/shared_topic_writer.h"
#include "worker/ledger/shared.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace helsekontakter::cli {

/// Joins this worker to the others by the shared topic: what they and the operator say goes to the
/// core, what the core says goes to them. Owned by the program, which outlives it.
class SharedLink {
 public:
  /// `refused`: on the reader's thread, once; the worker is not to go on.
  SharedLink(const OpenLedger& ledger, Inbox& inbox, const kafka::Observer& observer,
             std::function<void(const Error&)> refused);

  /// Begins to read, and waits until all that was said before has been told: holds and brakes
  /// come before the first submission. Waits for the brokers as long as `goes_on` says so.
  /// Remedy::stop: this is another ledger's topic.
  [[nodiscard]] Result<void> start(const std::function<bool()>& goes_on);

  /// Never blocks.
  void publish(const std::vector<SharedFact>& facts) { writer_.publish(facts); }

  /// What was published reaches the brokers, within two seconds or not at all.
  void stop();

 private:
  void on_caught_up(const std::optional<ledger::Identity>& found);
  void on_refused(const Error& error);

  const ledger::Identity identity_;
  const std::function<void(const Error&)> refused_;
  kafka::SharedTopicWriter writer_;
  std::mutex mutex_;  ///< guards the two below
  std::condition_variable changed_;
  bool caught_up_ = false;
  std::optional<Error> error_;
  kafka::SharedTopicReader reader_;
};

}  // namespace helsekontakter::cli

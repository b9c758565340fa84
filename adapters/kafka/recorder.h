#pragma once

#include "adapters/crypto/password.h"
#include "adapters/inbox/inbox.h"
#include "adapters/kafka/ledger_topic.h"
#include "adapters/kafka/observer.h"
#include "adapters/kafka/ownership.h"
#include "adapters/kafka/settings.h"
#include "worker/ports/commands.h"

#include <memory>
#include <string>

namespace helsekontakter::kafka {

/// The record port on Kafka: results, dead letters, ledger entries and offsets in one transaction,
/// on a thread of its own. Answers each record by one Recorded, within record_timeout and a few
/// seconds, whatever the broker does: a call that hangs is left to its thread, and the producer is
/// made anew. `durable` is told only when the broker confirmed the commit.
class KafkaRecorder {
 public:
  /// `origin_topic` is where the change events are read. `ownership` is the Kafka source's; null
  /// for a source of another kind, whose progress is not Kafka's to commit. Without `ledger` the
  /// entries of a record are not written; with it the topic is checked before each producer.
  KafkaRecorder(RecordSettings settings, crypto::Password password, std::string origin_topic,
                std::shared_ptr<Ownership> ownership, Inbox& inbox, Observer observer,
                LedgerTopic ledger = {});
  /// Does not wait for a record under way; it may become durable later.
  ~KafkaRecorder();
  KafkaRecorder(const KafkaRecorder&) = delete;
  KafkaRecorder& operator=(const KafkaRecorder&) = delete;

  /// Starts the thread, which makes the producer at once. Refuses properties as the source does.
  [[nodiscard]] Result<void> start();

  /// Any thread; never blocks. At most one at a time, as the port says.
  void record(Record record);

  /// Ends the thread at once.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace helsekontakter::kafka

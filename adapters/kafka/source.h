#pragma once

#include "adapters/crypto/password.h"
#include "adapters/inbox/inbox.h"
#include "adapters/kafka/observer.h"
#include "adapters/kafka/ownership.h"
#include "adapters/kafka/reader.h"
#include "adapters/kafka/settings.h"
#include "worker/ports/commands.h"

#include <memory>
#include <span>
#include <string>
#include <utility>

namespace helsekontakter::kafka {

/// The Kafka source: one group member, one thread that consumes and assigns. Tells the core, by
/// the inbox, Assigned, Delivered and ReachedPosition in order of offset for each partition, then
/// Revoked or Lost; does what the core orders. Never guesses an offset. A client that is beyond
/// repair is thrown away and made anew, with growing pauses.
class KafkaSource {
 public:
  /// The decoder is called on the source's thread only. The inbox must outlive the source.
  KafkaSource(SourceSettings settings, crypto::Password password, Decode decode, Inbox& inbox,
              Observer observer);
  /// Ends the thread within about three seconds, without leaving the group.
  ~KafkaSource();
  KafkaSource(const KafkaSource&) = delete;
  KafkaSource& operator=(const KafkaSource&) = delete;

  /// Starts the thread. Refuses options that the worker owns or librdkafka does not know.
  [[nodiscard]] Result<void> start();

  /// Any thread; never blocks.
  void order(SourceOrders orders);

  /// Ends the thread. `leave_group`: only when nothing of ours can still be executed, so that
  /// others may take over at once; else they wait until the session is over. Ten seconds at most.
  void stop(bool leave_group);

  /// What the endpoint asks right before the first byte of a request. Any thread.
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const;

  /// For the recorder.
  [[nodiscard]] std::shared_ptr<Ownership> ownership() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace helsekontakter::kafka

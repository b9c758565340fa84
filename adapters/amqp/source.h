#pragma once

#include "adapters/amqp/observer.h"
#include "adapters/amqp/settings.h"
#include "adapters/amqp/settlement.h"
#include "adapters/crypto/password.h"
#include "adapters/inbox/inbox.h"
#include "adapters/json/event_decoder.h"
#include "worker/ports/commands.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace helsekontakter::amqp {

/// Turns a broker's message into a delivery (json::EventDecoder).
using Decode = std::function<Delivery(const json::RawEvent&)>;

/// The AMQP 1.0 source: one receiving link on one queue, which is partition 0. Each attach is an
/// epoch: Assigned, then Delivered with ascending offsets (a number that counts up for as long as
/// the process lives), then Lost when the link is gone; the broker delivers again what was not
/// settled. A delivery is accepted by settle(), never before. Credit is what the core has room for.
class AmqpSource {
 public:
  /// The decoder is called on the source's thread only. The inbox must outlive the source.
  AmqpSource(SourceSettings settings, crypto::Password password, Decode decode, Inbox& inbox,
             Observer observer);
  /// As stop().
  ~AmqpSource();
  AmqpSource(const AmqpSource&) = delete;
  AmqpSource& operator=(const AmqpSource&) = delete;

  /// Starts the thread. Refuses settings that cannot work (Remedy::stop).
  [[nodiscard]] Result<void> start();

  /// Any thread; never blocks.
  void order(SourceOrders orders);

  /// Accepts deliveries whose results are durable. Any thread; never blocks. What the broker does
  /// not hear of, because the link is lost, it delivers again.
  void settle(Settlement settlement);

  /// Gives back (released) what is not settled, detaches and ends the thread; five seconds at most.
  void stop();

  /// What the endpoint asks right before the first byte of a request. Any thread.
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace helsekontakter::amqp

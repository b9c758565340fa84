#pragma once

#include "adapters/amqp/observer.h"
#include "adapters/cli/ledgers.h"
#include "adapters/config/configuration.h"
#include "adapters/crypto/keyed_hash.h"
#include "adapters/file/observer.h"
#include "adapters/inbox/inbox.h"
#include "adapters/json/event_decoder.h"
#include "adapters/kafka/observer.h"
#include "worker/domain/result.h"
#include "worker/ports/commands.h"

#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace helsekontakter::cli {

/// Where change events come from, whatever the technology: what the program asks of the source
/// port. Tells the core of itself by the inbox.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual Result<void> start() = 0;
  /// Never blocks.
  virtual void order(SourceOrders orders) = 0;
  /// `finished`: nothing of ours is under way or can still be executed, so others may take over at
  /// once. Ten seconds at most.
  virtual void stop(bool finished) = 0;
  /// Any thread.
  [[nodiscard]] virtual bool still_ours(
      std::span<const std::pair<Partition, Epoch>> under) const = 0;
};

/// Where results go: the record port. Answers each record by one Recorded.
class Recorder {
 public:
  virtual ~Recorder() = default;
  [[nodiscard]] virtual Result<void> start() = 0;
  /// Never blocks. At most one at a time.
  virtual void record(Record record) = 0;
  virtual void stop() = 0;
};

/// Turns what a source read into a delivery; called on the source's thread only.
using Decode = std::function<Delivery(const json::RawEvent&)>;

/// Source and recorder of one deployment. The recorder is to be started first, stopped last and
/// destroyed first: it may know the source.
struct Parts {
  std::unique_ptr<Source> source;
  std::unique_ptr<Recorder> recorder;
};

/// Passwords are read here. The inbox outlives the parts. The recorder answers to an inbox of its
/// own, where it is one step of another one.
[[nodiscard]] Result<Parts> make_kafka_parts(const config::Configuration& configuration,
                                             const OpenLedger& ledger, Decode decode, Inbox& inbox,
                                             const kafka::Observer& observer,
                                             Inbox* recorder_inbox = nullptr);
/// Results go to AMQP, or to Kafka.
[[nodiscard]] Result<Parts> make_amqp_parts(const config::Configuration& configuration,
                                            const OpenLedger& ledger, bool drain, Decode decode,
                                            Inbox& inbox, const amqp::Observer& observer,
                                            const kafka::Observer& kafka_observer);
[[nodiscard]] Result<Parts> make_kafka_to_amqp_parts(const config::Configuration& configuration,
                                                     const OpenLedger& ledger, Decode decode,
                                                     Inbox& inbox,
                                                     const kafka::Observer& kafka_observer,
                                                     const amqp::Observer& observer);
[[nodiscard]] Result<Parts> make_file_parts(const config::Configuration& configuration,
                                            const OpenLedger& ledger, bool drain,
                                            const crypto::KeyedHash& hash, Decode decode,
                                            Inbox& inbox, const file::Observer& observer);

}  // namespace helsekontakter::cli

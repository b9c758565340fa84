#pragma once

#include "adapters/amqp/observer.h"
#include "adapters/amqp/settings.h"
#include "adapters/crypto/password.h"
#include "adapters/inbox/inbox.h"
#include "adapters/results/result_writer.h"
#include "worker/ports/commands.h"

#include <functional>
#include <memory>
#include <string>

namespace helsekontakter::amqp {

/// How a result event is written; the same text for every technology.
struct ResultText {
  /// The record whose conclusions are written next; it outlives the calls that follow.
  std::function<void(const Record&, WallTime now)> begin;
  /// Appends the result event of one conclusion of that record: a CloudEvent in structured mode.
  std::function<void(const Conclusion&, std::string& out)> append;
  /// For RecordSettings::mode binary: its data alone, and its attributes.
  std::function<void(const Conclusion&, std::string& out)> append_data;
  std::function<void(const Conclusion&, const results::PutAttribute&)> put_attributes;
  /// Its id.
  std::function<Uuid(const Conclusion&)> id;
};

/// One step of making a record durable that is not the recorder's: answers once, from any thread,
/// within the record's time or not at all. What fails with Remedy::retry is called again with the
/// same record, after a pause, as long as there is time.
using Step = std::function<void(std::shared_ptr<const Record>, std::function<void(Result<void>)>)>;

/// What stands around the publishing of results; each may be empty. The order is ledger, results,
/// settlement: after a crash in between, an event is delivered again and its result repeated.
struct Steps {
  Step ledger;  ///< writes ledger entries before anything is published
  Step settle;  ///< settles at the source what is durable: AmqpSource::settle, or offsets
};

/// The record port on AMQP 1.0: each result is sent unsettled and durable, and counts once the
/// broker accepted it. What it releases (RabbitMQ: no queue took it) or rejects is sent again with
/// growing pauses, and so is what a lost connection left open, until record_timeout; the same
/// result always has the same id. Answers each record by one Recorded.
class AmqpRecorder {
 public:
  /// `origin` is where the change events are read; dead letters name it.
  AmqpRecorder(RecordSettings settings, crypto::Password password, std::string origin,
               ResultText text, Steps steps, Inbox& inbox, Observer observer);
  /// As stop().
  ~AmqpRecorder();
  AmqpRecorder(const AmqpRecorder&) = delete;
  AmqpRecorder& operator=(const AmqpRecorder&) = delete;

  /// Starts the thread, which connects at once. Refuses settings that cannot work (Remedy::stop).
  [[nodiscard]] Result<void> start();

  /// Any thread; never blocks. At most one at a time, as the port says.
  void record(Record record);

  /// Ends the thread. Does not wait for a record under way.
  void stop();

 private:
  class Loop;
  std::shared_ptr<Loop> loop_;  ///< a step that answers late finds it, or finds it gone
};

}  // namespace helsekontakter::amqp

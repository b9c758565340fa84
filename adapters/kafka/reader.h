#pragma once

#include "adapters/inbox/inbox.h"
#include "adapters/json/event_decoder.h"
#include "adapters/kafka/assignment.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/observer.h"

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace helsekontakter::kafka {

/// Turns a broker's record into a delivery (json::EventDecoder).
using Decode = std::function<Delivery(const json::RawEvent&)>;

/// Reads the partition queues of one consumer, decodes, and brings deliveries to the inbox in
/// batches. Backpressure: what does not fit waits here, one batch at most, and the queues stay
/// unread; their sizes are bounded, and pausing by librdkafka would throw away what was fetched.
/// Owned by the source's thread; never blocks longer than it is told.
class Reader {
 public:
  struct Options {
    std::string topic;
    int wake_fd = -1;  ///< an eventfd, written when an empty queue gets a record
  };
  Reader(Options options, Decode decode, Inbox& inbox, Assignment& assignment,
         const Observer& observer);

  /// Before each assign: keeps these partitions' records out of the consumer's common queue. Two
  /// queues of one partition would have no order, and what is passed over counts as concluded.
  void open(rd_kafka_t* consumer, const std::vector<Partition>& partitions);
  /// Drops a partition's queue and what of it waits here.
  void close(Partition partition);
  void close_all();

  /// Reads once from each partition that is neither paused nor let go. Returns whether there may
  /// be more. Reads nothing while the inbox is full.
  [[nodiscard]] bool read();
  /// Brings what waits to the inbox, at the latest at the deadline; false: it is full.
  [[nodiscard]] bool deliver(std::chrono::steady_clock::time_point deadline);

  /// Partitions whose next record is gone, since the last call.
  [[nodiscard]] std::set<Partition> take_gaps() { return std::exchange(gaps_, {}); }

 private:
  bool read(Partition partition, Assignment::Part& part);
  void take(const rd_kafka_message_t& message, Assignment::Part& part, WallTime now);
  void note(const rd_kafka_message_t& message, Assignment::Part& part);
  [[nodiscard]] json::RawEvent raw_event(const rd_kafka_message_t& message, Epoch epoch,
                                         WallTime now);

  const Options options_;
  const Decode decode_;
  Inbox& inbox_;
  Assignment& assignment_;
  const Observer& observer_;
  std::map<Partition, OwnedQueue> queues_;
  std::vector<rd_kafka_message_t*> messages_;
  std::size_t chunk_;  ///< records taken at a time: about chunk_bytes of them
  std::vector<std::pair<std::string_view, std::string_view>> headers_;
  std::vector<Delivery> pending_;
  std::size_t pending_bytes_ = 0;
  std::size_t read_bytes_ = 0;  ///< of this round, for the observer
  std::size_t read_records_ = 0;
  std::vector<ReachedPosition> reached_;
  std::set<Partition> gaps_;
};

}  // namespace helsekontakter::kafka

#pragma once

#include "adapters/kafka/observer.h"
#include "worker/domain/result.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <librdkafka/rdkafka.h>

// Ownership of librdkafka's objects, and the one way to make a client.

namespace helsekontakter::kafka {

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
template <class T, void (*destroy)(T*)>
using Owned = std::unique_ptr<T, Destroy<T, destroy>>;

using OwnedConf = Owned<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using OwnedQueue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using OwnedEvent = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using OwnedError = Owned<rd_kafka_error_t, rd_kafka_error_destroy>;
using OwnedList = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using OwnedHeaders = Owned<rd_kafka_headers_t, rd_kafka_headers_destroy>;
using GroupMetadata =
    Owned<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;

/// A librdkafka client. Threads that may stay in a blocking call hold a share of it; whoever lets
/// go last has it destroyed on a thread that nobody waits for, because destroying may block.
/// A consumer is destroyed without leaving its group: what it had in flight may still be executed,
/// so its partitions are free only when its session is over.
class Client {
 public:
  Client(rd_kafka_t* handle, std::unique_ptr<Observer> observer)
      : handle_(handle), observer_(std::move(observer)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  [[nodiscard]] rd_kafka_t* get() const { return handle_; }

 private:
  rd_kafka_t* handle_;
  std::unique_ptr<Observer> observer_;  ///< the log callback's; lives as long as the handle
};
using SharedClient = std::shared_ptr<Client>;

/// librdkafka's properties by name, in the order of the names.
using Properties = std::map<std::string, std::string>;

/// A sentence of librdkafka without its end "(after 3 ms in state X, 4 identical errors
/// suppressed)", which is another each time.
[[nodiscard]] std::string without_counts(std::string_view words);

/// Makes a client. `events` are the RD_KAFKA_EVENT_* that come as events. Refuses a property that
/// librdkafka refuses, with its words.
[[nodiscard]] Result<SharedClient> make_client(rd_kafka_type_t type, const Properties& properties,
                                               int events, const Observer& observer);

/// rd_kafka_assign(), and waits until the fetchers of the assignment before have stopped: with a
/// partition whose last stop is still under way taken away again, librdkafka 2.0.2 aborts.
/// No list: nothing is assigned. Not while the consumer is being closed: what librdkafka is asked
/// then may never be answered.
[[nodiscard]] rd_kafka_resp_err_t assign_and_settle(rd_kafka_t* consumer,
                                                    const rd_kafka_topic_partition_list_t* list);

/// Runs it on a thread that nobody waits for. It must own all that it touches.
void run_detached(std::function<void()> work);

/// A thread that nobody waits for, for calls that may hang: one after another. When one hangs, let
/// go of the object; the thread ends with its call.
class ErrandThread {
 public:
  ErrandThread();
  ~ErrandThread();
  ErrandThread(const ErrandThread&) = delete;
  ErrandThread& operator=(const ErrandThread&) = delete;

  /// It must own all that it touches.
  void run(std::function<void()> work);

 private:
  struct Queue;
  const std::shared_ptr<Queue> queue_;
};

[[nodiscard]] inline int remaining_ms(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

}  // namespace helsekontakter::kafka

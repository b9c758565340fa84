#include "adapters/kafka/shared_topic_writer.h"

#include "adapters/kafka/client.h"
#include "adapters/kafka/properties.h"
#include "adapters/kafka/shared_topic_format.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace helsekontakter::kafka {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int events_poll_ms = 100;
constexpr auto message_timeout = std::chrono::milliseconds(10'000);
constexpr auto pause_after_failure = std::chrono::milliseconds(500);

/// Values by key: the newest of each subject.
using Values = std::map<std::string, std::string>;

Properties writer_properties(const SharedTopic& where, const std::string& password) {
  // One request after the other, so that an older fact never overtakes a newer one.
  Properties properties{{"acks", "all"},
                        {"linger.ms", "5"},
                        {"max.in.flight.requests.per.connection", "1"},
                        {"message.timeout.ms", std::to_string(message_timeout.count())}};
  properties.merge(connection_properties(where.connection, password));
  return properties;
}

}  // namespace

class SharedTopicWriter::Loop {
 public:
  Loop(SharedTopic where, Observer observer)
      : where_(std::move(where)), observer_(std::move(observer)) {}
  ~Loop() { stop(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> start();
  void publish(std::vector<SharedRecord> records);
  Result<void> flush(Clock::time_point deadline);
  void stop();

 private:
  void run();
  Values send(const Values& values);
  bool is_stopping();

  const SharedTopic where_;
  const Observer observer_;

  std::mutex mutex_;  ///< guards the four below
  std::condition_variable changed_;
  Values waiting_;
  bool under_way_ = false;
  bool stopping_ = false;
  std::string last_trouble_;

  SharedClient client_;
  OwnedQueue events_;
  std::thread thread_;
};

Result<void> SharedTopicWriter::Loop::start() {
  const auto refused = refused_properties(where_.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  const auto password = where_.password.read();
  if (!password) return tl::unexpected(password.error());
  auto client = make_client(RD_KAFKA_PRODUCER, writer_properties(where_, *password),
                            RD_KAFKA_EVENT_DR, observer_);
  if (!client) return tl::unexpected(client.error());
  client_ = std::move(*client);
  events_.reset(rd_kafka_queue_get_main(client_->get()));
  thread_ = std::thread([this] { run(); });
  return {};
}

void SharedTopicWriter::Loop::publish(std::vector<SharedRecord> records) {
  {
    const std::lock_guard lock(mutex_);
    for (SharedRecord& record : records) {
      waiting_.insert_or_assign(std::move(record.key), std::move(record.value));
    }
  }
  changed_.notify_all();
}

Result<void> SharedTopicWriter::Loop::flush(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  const bool done = changed_.wait_until(
      lock, deadline, [&] { return stopping_ || (waiting_.empty() && !under_way_); });
  if (done && !stopping_) return {};
  return fail(Remedy::retry, "the shared topic " + where_.topic + " did not take what was said" +
                                 (last_trouble_.empty() ? "" : ": " + last_trouble_) +
                                 "; check the brokers, and the right to write it");
}

void SharedTopicWriter::Loop::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool SharedTopicWriter::Loop::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void SharedTopicWriter::Loop::run() {
  while (true) {
    Values values;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      values.swap(waiting_);
      under_way_ = true;
    }
    Values failed = send(values);
    std::unique_lock lock(mutex_);
    under_way_ = false;
    const bool pause = !failed.empty();
    waiting_.merge(failed);  // what was said since about the same subject stays
    changed_.notify_all();
    if (pause) changed_.wait_for(lock, pause_after_failure, [&] { return stopping_; });
  }
}

/// Returns what the broker did not confirm.
Values SharedTopicWriter::Loop::send(const Values& values) {
  Values unconfirmed = values;
  std::string trouble;
  std::size_t reports = 0;
  for (const auto& [key, value] : values) {
    const auto error =
        rd_kafka_producev(client_->get(), RD_KAFKA_V_TOPIC(where_.topic.c_str()),
                          RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_KEY(key.data(), key.size()), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++reports;
    } else {
      trouble = rd_kafka_err2str(error);
    }
  }
  // Every message is reported on, at the latest when it times out.
  while (reports > 0 && !is_stopping()) {
    const OwnedEvent event(rd_kafka_queue_poll(events_.get(), events_poll_ms));
    if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      --reports;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        trouble = rd_kafka_err2str(message->err);
        continue;
      }
      unconfirmed.erase(std::string(static_cast<const char*>(message->key), message->key_len));
    }
  }
  if (!trouble.empty()) renew_password(client_->get(), where_.connection, where_.password);
  const std::lock_guard lock(mutex_);
  if (!trouble.empty() && trouble != last_trouble_) {
    tell(observer_.trouble,
         Error{Remedy::retry, "the shared topic " + where_.topic + " cannot be written: " +
                                  trouble + "; other workers do not hear of it until then"});
  }
  last_trouble_ = trouble;
  return unconfirmed;
}

SharedTopicWriter::SharedTopicWriter(SharedTopic where, Observer observer)
    : loop_(std::make_unique<Loop>(std::move(where), std::move(observer))) {}

SharedTopicWriter::~SharedTopicWriter() = default;

Result<void> SharedTopicWriter::start() {
  return loop_->start();
}

void SharedTopicWriter::publish(const std::vector<SharedFact>& facts) {
  std::vector<SharedRecord> records;
  records.reserve(facts.size());
  for (const SharedFact& fact : facts) records.push_back(encode_shared(fact));
  loop_->publish(std::move(records));
}

void SharedTopicWriter::publish(const ledger::Identity& identity) {
  loop_->publish({encode_shared(identity)});
}

Result<void> SharedTopicWriter::flush(std::chrono::steady_clock::time_point deadline) {
  return loop_->flush(deadline);
}

void SharedTopicWriter::stop() {
  loop_->stop();
}

}  // namespace helsekontakter::kafka

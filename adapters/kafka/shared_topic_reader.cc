#include "adapters/kafka/shared_topic_reader.h"

#include "adapters/kafka/client.h"
#include "adapters/kafka/properties.h"
#include "adapters/kafka/shared_topic_format.h"

#include <array>
#include <atomic>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace helsekontakter::kafka {
namespace {

constexpr int poll_ms = 100;
constexpr std::size_t messages_at_a_time = 256;

Properties reader_properties(const SharedTopic& where) {
  Properties properties = connection_properties(where.connection, where.password);
  properties["group.id"] = where.group;
  properties["isolation.level"] = "read_committed";
  properties["enable.auto.commit"] = "false";
  properties["enable.auto.offset.store"] = "false";
  properties["enable.partition.eof"] = "true";
  // What compaction took from under our place was replaced by something newer.
  properties["auto.offset.reset"] = "earliest";
  properties["fetch.wait.max.ms"] = "500";
  properties["fetch.error.backoff.ms"] = "100";
  properties["queued.max.messages.kbytes"] = "1024";
  return properties;
}

}  // namespace

class SharedTopicReader::Loop {
 public:
  Loop(SharedTopic where, ledger::Identity ours, Hooks hooks, Observer observer)
      : where_(std::move(where)),
        ours_(ours),
        hooks_(std::move(hooks)),
        observer_(std::move(observer)) {}
  ~Loop() { stop(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> start();
  void stop();

 private:
  void run();
  [[nodiscard]] bool read();
  Result<void> take(const rd_kafka_message_t& message);
  Result<void> take_record(const rd_kafka_message_t& message);
  void tell_news();

  const SharedTopic where_;
  const ledger::Identity ours_;
  const Hooks hooks_;
  const Observer observer_;
  std::atomic<bool> stopping_ = false;

  SharedClient client_;
  OwnedQueue queue_;
  std::vector<SharedFact> facts_;
  std::optional<ledger::Identity> identity_;
  bool caught_up_ = false;
  std::string last_trouble_;
  std::thread thread_;
};

Result<void> SharedTopicReader::Loop::start() {
  const auto refused = refused_properties(where_.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  auto client = make_client(RD_KAFKA_CONSUMER, reader_properties(where_), 0, observer_);
  if (!client) return tl::unexpected(client.error());
  client_ = std::move(*client);
  rd_kafka_poll_set_consumer(client_->get());
  queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
  const OwnedList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), where_.topic.c_str(), 0)->offset =
      RD_KAFKA_OFFSET_BEGINNING;
  const auto error = rd_kafka_assign(client_->get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Remedy::stop,
                "ledger.kafka.shared_topic: " + where_.topic + ": " + rd_kafka_err2str(error));
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void SharedTopicReader::Loop::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SharedTopicReader::Loop::run() {
  while (!stopping_ && read()) {
  }
}

/// False when what was read is refused.
bool SharedTopicReader::Loop::read() {
  std::array<rd_kafka_message_t*, messages_at_a_time> messages{};
  const auto count =
      rd_kafka_consume_batch_queue(queue_.get(), poll_ms, messages.data(), messages.size());
  std::optional<Error> refused;
  for (const auto& message : std::span(messages).first(count > 0 ? std::size_t(count) : 0)) {
    const Owned<rd_kafka_message_t, rd_kafka_message_destroy> owned(message);
    if (refused) continue;
    if (const auto taken = take(*owned); !taken) refused = taken.error();
  }
  tell_news();
  if (refused) tell(hooks_.refused, *refused);
  return !refused;
}

Result<void> SharedTopicReader::Loop::take(const rd_kafka_message_t& message) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      last_trouble_.clear();
      return take_record(message);
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (caught_up_) return {};
      tell_news();
      caught_up_ = true;
      tell(hooks_.caught_up, identity_);
      return {};
    default:
      break;
  }
  // librdkafka goes on by itself; once is enough until something is read again.
  const std::string words = rd_kafka_err2str(message.err);
  if (words == last_trouble_) return {};
  last_trouble_ = words;
  tell(observer_.trouble,
       Error{Remedy::retry, "the shared topic " + where_.topic + " cannot be read: " + words +
                                "; check the brokers, and the worker's right to read it"});
  return {};
}

Result<void> SharedTopicReader::Loop::take_record(const rd_kafka_message_t& message) {
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  auto content = decode_shared(key, value);
  if (!content) return tl::unexpected(content.error());
  if (!*content) return {};
  if (auto* fact = std::get_if<SharedFact>(&**content)) {
    facts_.push_back(std::move(*fact));
    return {};
  }
  identity_ = std::get<ledger::Identity>(**content);
  return ledger::compare(*identity_, ours_, "the ledger of shared topic " + where_.topic);
}

void SharedTopicReader::Loop::tell_news() {
  if (facts_.empty()) return;
  tell(hooks_.news, SharedNews{std::move(facts_), caught_up_});
  facts_.clear();
}

SharedTopicReader::SharedTopicReader(SharedTopic where, ledger::Identity ours, Hooks hooks,
                                     Observer observer)
    : loop_(std::make_unique<Loop>(std::move(where), ours, std::move(hooks), std::move(observer))) {
}

SharedTopicReader::~SharedTopicReader() = default;

Result<void> SharedTopicReader::start() {
  return loop_->start();
}

void SharedTopicReader::stop() {
  loop_->stop();
}

Result<void> check_shared_topic(const std::string& topic,
                                const std::optional<TopicDescription>& found) {
  const std::string what = "the shared topic " + topic;
  if (!found) {
    return fail(Remedy::stop, what +
                                  " does not exist; create it with one partition and "
                                  "cleanup.policy=compact (`check --connect --create`)");
  }
  if (found->partitions != 1) {
    return fail(Remedy::stop, what + " has " + std::to_string(found->partitions) +
                                  " partitions; it needs exactly one: name another topic");
  }
  if (found->cleanup_policy != "compact") {
    return fail(Remedy::stop, what + " has cleanup.policy=" + found->cleanup_policy +
                                  ", which would forget holds; set it to exactly `compact`");
  }
  return {};
}

}  // namespace helsekontakter::kafka

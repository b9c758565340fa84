#include "adapters/kafka/shared_topic_reader.h"

#include "adapters/kafka/assigned_reader.h"
#include "adapters/kafka/message.h"
#include "adapters/kafka/properties.h"
#include "adapters/kafka/shared_topic_format.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace helsekontakter::kafka {
namespace {

constexpr std::chrono::seconds renew_every{30};

Properties shared_properties(const SharedTopic& where, const std::string& password) {
  Properties properties = AssignedReader::properties(where.connection, password, where.group);
  // What compaction took from under our place was replaced by something newer.
  properties["auto.offset.reset"] = "earliest";
  properties["fetch.wait.max.ms"] = "500";
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
  void renew();
  Result<bool> take(const rd_kafka_message_t& message);
  Result<bool> take_record(const rd_kafka_message_t& message);
  void tell_news();

  const SharedTopic where_;
  const ledger::Identity ours_;
  const Hooks hooks_;
  const Observer observer_;
  std::atomic<bool> stopping_ = false;

  std::optional<AssignedReader> reader_;
  std::vector<SharedFact> facts_;
  std::optional<ledger::Identity> identity_;
  bool caught_up_ = false;
  std::string last_trouble_;
  std::chrono::steady_clock::time_point renewed_ = std::chrono::steady_clock::now();
  std::thread thread_;
};

Result<void> SharedTopicReader::Loop::start() {
  const auto refused = refused_properties(where_.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  const auto password = where_.password.read();
  if (!password) return tl::unexpected(password.error());
  auto reader = AssignedReader::open(shared_properties(where_, *password), where_.topic,
                                     {{Partition{0}, RD_KAFKA_OFFSET_BEGINNING}}, observer_);
  if (!reader) return tl::unexpected(reader.error());
  reader_.emplace(std::move(*reader));
  thread_ = std::thread([this] { run(); });
  return {};
}

void SharedTopicReader::Loop::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SharedTopicReader::Loop::run() {
  while (!stopping_ && read()) renew();
}

/// A refused password is no message that take() would see, so the file is looked at now and then.
void SharedTopicReader::Loop::renew() {
  const auto now = std::chrono::steady_clock::now();
  if (now - renewed_ < renew_every) return;
  renewed_ = now;
  renew_password(reader_->client(), where_.connection, where_.password);
}

/// False when what was read is refused.
bool SharedTopicReader::Loop::read() {
  const auto taken = reader_->poll([this](const auto& message) { return take(message); });
  tell_news();
  if (!taken) tell(hooks_.refused, taken.error());
  return taken.has_value();
}

Result<bool> SharedTopicReader::Loop::take(const rd_kafka_message_t& message) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      last_trouble_.clear();
      return take_record(message);
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (caught_up_) return true;
      tell_news();
      caught_up_ = true;
      tell(hooks_.caught_up, identity_);
      return true;
    default:
      break;
  }
  // librdkafka goes on by itself; once is enough until something is read again.
  const std::string words = rd_kafka_err2str(message.err);
  if (words == last_trouble_) return true;
  last_trouble_ = words;
  tell(observer_.trouble,
       Error{Remedy::retry, "the shared topic " + where_.topic + " cannot be read: " + words +
                                "; check the brokers, and the worker's right to read it"});
  return true;
}

Result<bool> SharedTopicReader::Loop::take_record(const rd_kafka_message_t& message) {
  auto content = decode_shared(message_key(message), message_payload(message));
  if (!content) return tl::unexpected(content.error());
  if (!*content) return true;
  if (auto* fact = std::get_if<SharedFact>(&**content)) {
    facts_.push_back(std::move(*fact));
    return true;
  }
  identity_ = std::get<ledger::Identity>(**content);
  const auto same =
      ledger::compare(*identity_, ours_, "the ledger of shared topic " + where_.topic);
  if (!same) return tl::unexpected(same.error());
  return true;
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

#include "tests/integration/kafka/kafka_fixture.h"

#include "adapters/json/packed_headers.h"
#include "adapters/kafka/properties.h"

#include <cstdlib>

#include <unistd.h>

namespace helsekontakter::kafka::test {
namespace {

std::string unique_name(const std::string& stem) {
  static int count = 0;
  return stem + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace

Delivery decode_plainly(const json::RawEvent& raw) {
  Delivery delivery{.position = raw.position, .epoch = raw.epoch};
  if (raw.is_null) return delivery;
  using Field = Texts::Field;
  delivery.texts.append(Field::id, raw.payload.substr(0, 64));
  delivery.texts.append(Field::source, raw.plain_source);
  delivery.texts.append(Field::key, raw.key);
  delivery.texts.append(Field::payload, raw.payload);
  delivery.texts.append(Field::headers, json::pack_headers(raw.headers));
  delivery.content = Change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
  return delivery;
}

Member::Member(SourceSettings source_options, RecordSettings record, std::size_t inbox_bytes,
               Decode decode)
    : inbox(inbox_bytes),
      source(source_options, "", std::move(decode), inbox, observer()),
      recorder(std::move(record), "", source_options.topic, source.ownership(), inbox, observer()) {
  EXPECT_TRUE(source.start());
  EXPECT_TRUE(recorder.start());
}

Observer Member::observer() {
  Observer hooks;
  hooks.trouble = [this](const Error& error) {
    const std::lock_guard lock(mutex_);
    troubles_.push_back(error.message);
  };
  hooks.held = [this](Partition partition, bool is_held) {
    const std::lock_guard lock(mutex_);
    held[partition] = is_held;
  };
  hooks.read = [this](std::size_t, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_read += bytes;
  };
  return hooks;
}

bool Member::troubled_by(const std::string& words) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& trouble : troubles_) {
    if (trouble.find(words) != std::string::npos) return true;
  }
  return false;
}

void Member::note(Input& input) {
  if (auto* news = std::get_if<Assigned>(&input)) {
    assigned[news->partition] = *news;
  } else if (auto* delivered = std::get_if<Delivered>(&input)) {
    for (Delivery& delivery : delivered->deliveries) deliveries.push_back(std::move(delivery));
  } else if (auto* gone = std::get_if<Lost>(&input)) {
    lost.push_back(*gone);
    assigned.erase(gone->partition);
  } else if (auto* going = std::get_if<Revoked>(&input)) {
    revoked.push_back(*going);
  } else if (auto* position = std::get_if<ReachedPosition>(&input)) {
    reached.push_back(*position);
  } else if (auto* answer = std::get_if<Recorded>(&input)) {
    answers.push_back(*answer);
  }
}

bool Member::take_until(const std::function<bool()>& holds, Clock::duration within) {
  const auto deadline = Clock::now() + within;
  std::vector<Input> inputs;
  while (!holds()) {
    if (Clock::now() >= deadline) return false;
    inbox.take(inputs, Clock::now() + 50ms);
    for (Input& input : inputs) note(input);
  }
  return true;
}

bool Member::take_assigned(std::size_t partitions, Clock::duration within) {
  return take_until([&] { return assigned.size() == partitions; }, within);
}

bool Member::take_deliveries(std::size_t count, Clock::duration within) {
  return take_until([&] { return deliveries.size() >= count; }, within);
}

void Member::take_for(Clock::duration time) {
  [[maybe_unused]] const bool never = take_until([] { return false; }, time);
}

Record Member::next_record(Verdict verdict, Reason reason) {
  Record record{.id = RecordId{++records_}};
  std::map<Partition, Progress> progress;
  for (const auto& [partition, news] : assigned) {
    progress[partition] = {partition, news.epoch, news.committed, {}};
  }
  for (Delivery& delivery : deliveries) {
    const auto at = progress.find(delivery.position.partition);
    if (at == progress.end() || at->second.epoch != delivery.epoch) continue;
    at->second.committed = delivery.position.offset + 1;
    record.conclusions.push_back({.delivery = std::make_unique<Delivery>(std::move(delivery)),
                                  .verdict = verdict,
                                  .reason = reason,
                                  .attempt = 1,
                                  .batch = Conclusion::no_batch});
  }
  deliveries.clear();
  for (auto& [partition, part] : progress) record.progress.push_back(part);
  return record;
}

std::optional<bool> Member::write(Record record, Clock::duration within) {
  const RecordId id = record.id;
  recorder.record(std::move(record));
  std::optional<bool> durable;
  const auto answered = [&] {
    for (const Recorded& answer : answers) {
      if (answer.id == id) durable = answer.durable;
    }
    return durable.has_value();
  };
  return take_until(answered, within) ? durable : std::nullopt;
}

bool Member::record_all(Verdict verdict, Reason reason, const std::string& metadata) {
  Record record = next_record(verdict, reason);
  for (Progress& progress : record.progress) {
    progress.metadata = metadata;
    if (const auto found = assigned.find(progress.partition); found != assigned.end()) {
      found->second.committed = progress.committed;
    }
  }
  return write(std::move(record)) == true;
}

void RealKafka::SetUp() {
  const char* address = std::getenv("HELSEKONTAKTER_TEST_KAFKA");
  ASSERT_NE(address, nullptr) << "set HELSEKONTAKTER_TEST_KAFKA to a broker's host:port; "
                                 "tests/support/kafka.sh start makes one, tests/run.sh does both";
  bootstrap_ = address;
  auto admin = Admin::connect(connection(), "", {});
  ASSERT_TRUE(admin) << admin.error().message;
  admin_ = std::make_unique<Admin>(std::move(*admin));
}

Connection RealKafka::connection() const {
  return {.brokers = {bootstrap_}};
}

std::string RealKafka::make_topic(std::int32_t partitions,
                                  std::map<std::string, std::string> options) {
  NewTopic topic{.name = unique_name("test"), .partitions = partitions};
  topic.options = std::move(options);
  const auto made = admin_->create(topic, Milliseconds{10'000});
  EXPECT_TRUE(made) << made.error().message;
  return topic.name;
}

void RealKafka::grow_topic(const std::string& topic, std::size_t partitions) {
  const auto client =
      make_client(RD_KAFKA_PRODUCER, connection_properties(connection(), ""), 0, {});
  ASSERT_TRUE(client);
  char problem[256] = "";
  const Owned<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy> request(
      rd_kafka_NewPartitions_new(topic.c_str(), partitions, problem, sizeof problem));
  ASSERT_TRUE(request) << problem;
  const OwnedQueue queue(rd_kafka_queue_new((*client)->get()));
  rd_kafka_NewPartitions_t* requests[] = {request.get()};
  rd_kafka_CreatePartitions((*client)->get(), requests, 1, nullptr, queue.get());
  const OwnedEvent event(rd_kafka_queue_poll(queue.get(), 30'000));
  ASSERT_TRUE(event);
  ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  std::size_t count = 0;
  const auto* answers = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(rd_kafka_topic_result_error(answers[i]), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
}

SourceSettings RealKafka::source_settings(const std::string& topic) const {
  return {.connection = connection(),
          .topic = topic,
          .group = topic + "-group",
          .session_timeout = Milliseconds{6000},
          .rebalance_timeout = Milliseconds{20'000},
          .coordinator_silence_max = Milliseconds{4000}};
}

RecordSettings RealKafka::record_settings(const std::string& results,
                                          const std::string& dead_letters) const {
  return {.connection = connection(),
          .topic = results,
          .dead_letter_topic = dead_letters,
          .source = "/helsekontakter/test",
          .environment = "TEST1",
          .transactional_id = unique_name("transactions")};
}

void RealKafka::produce(const std::string& topic, const std::vector<Sent>& messages) {
  auto properties = connection_properties(connection(), "");
  properties["message.max.bytes"] = "20000000";
  properties["queue.buffering.max.messages"] = "2000000";
  properties["linger.ms"] = "2";
  const auto producer = make_client(RD_KAFKA_PRODUCER, properties, 0, {});
  ASSERT_TRUE(producer);
  for (const Sent& message : messages) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& [name, value] : message.headers) {
      rd_kafka_header_add(headers, name.c_str(), -1, value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    void* value = message.null_value ? nullptr : const_cast<char*>(message.value.data());
    ASSERT_EQ(rd_kafka_producev((*producer)->get(), RD_KAFKA_V_TOPIC(topic.c_str()),
                                RD_KAFKA_V_PARTITION(message.partition),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_VALUE(value, message.value.size()),
                                RD_KAFKA_V_KEY(message.key.data(), message.key.size()),
                                RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
              RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  ASSERT_EQ(rd_kafka_flush((*producer)->get(), 60'000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::vector<Seen> RealKafka::read_committed(const std::string& topic, std::int32_t partition) {
  auto properties = connection_properties(connection(), "");
  properties["group.id"] = unique_name("reader");
  properties["isolation.level"] = "read_committed";
  properties["enable.partition.eof"] = "true";
  properties["enable.auto.commit"] = "false";
  const auto client = make_client(RD_KAFKA_CONSUMER, properties, 0, {});
  EXPECT_TRUE(client);
  rd_kafka_t* consumer = (*client)->get();
  rd_kafka_poll_set_consumer(consumer);
  const OwnedList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset =
      RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, list.get());
  std::vector<Seen> all;
  const auto deadline = Clock::now() + 30s;
  while (Clock::now() < deadline) {
    const Owned<rd_kafka_message_t, rd_kafka_message_destroy> message(
        rd_kafka_consumer_poll(consumer, 100));
    if (!message) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return all;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    Seen& seen = all.emplace_back();
    seen.offset = message->offset;
    seen.null_key = message->key == nullptr;
    seen.key.assign(static_cast<const char*>(message->key), message->key_len);
    seen.value.assign(static_cast<const char*>(message->payload), message->len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (; rd_kafka_header_get_all(headers, seen.header_count, &name, &value, &size) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
         ++seen.header_count) {
      seen.headers[name] =
          value == nullptr ? "(null)" : std::string(static_cast<const char*>(value), size);
    }
  }
  ADD_FAILURE() << topic << " was not read to its end within 30 s";
  return all;
}

void RealKafka::delete_records(const std::string& topic, std::int32_t partition, Offset before) {
  const auto client =
      make_client(RD_KAFKA_PRODUCER, connection_properties(connection(), ""), 0, {});
  ASSERT_TRUE(client);
  const OwnedList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = before;
  const Owned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy> request(
      rd_kafka_DeleteRecords_new(list.get()));
  const OwnedQueue queue(rd_kafka_queue_new((*client)->get()));
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  rd_kafka_DeleteRecords((*client)->get(), requests, 1, nullptr, queue.get());
  const OwnedEvent event(rd_kafka_queue_poll(queue.get(), 30'000));
  ASSERT_TRUE(event);
  ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
}

}  // namespace helsekontakter::kafka::test

#include "tests/feed/broker.h"

#include <set>
#include <stdexcept>

namespace helsekontakter::feed {
namespace {

constexpr int answer_within_ms = 15'000;
constexpr int poll_ms = 100;

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
struct DestroyTopic {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
struct DestroyList {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
struct DestroyMessage {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};

[[noreturn]] void fail(const Place& place, std::string_view what, rd_kafka_resp_err_t error) {
  throw std::runtime_error(place.topic + " at " + place.brokers + ": " + std::string(what) + ": " +
                           rd_kafka_err2str(error));
}

std::int32_t partition_count(rd_kafka_t* client, const Place& place) {
  const std::unique_ptr<rd_kafka_topic_t, DestroyTopic> topic(
      rd_kafka_topic_new(client, place.topic.c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  const auto error = rd_kafka_metadata(client, 0, topic.get(), &raw, answer_within_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(place, "metadata", error);
  const std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata> metadata(raw);
  if (metadata->topic_cnt != 1 || metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR ||
      metadata->topics[0].partition_cnt == 0) {
    fail(place, "no such topic", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  }
  return metadata->topics[0].partition_cnt;
}

void assign_all(rd_kafka_t* client, const Place& place, std::int32_t partitions) {
  const std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyList> list(
      rd_kafka_topic_partition_list_new(partitions));
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), place.topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  const auto error = rd_kafka_assign(client, list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(place, "assign", error);
}

}  // namespace

Client make_client(rd_kafka_type_t type, const Place& place, Properties properties,
                   rd_kafka_conf_t* conf) {
  properties["bootstrap.servers"] = place.brokers;
  char text[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) !=
        RD_KAFKA_CONF_OK) {
      throw std::runtime_error(text);
    }
  }
  Client client(rd_kafka_new(type, conf, text, sizeof text));
  if (!client) throw std::runtime_error(text);
  return client;
}

std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> offsets(const Place& place) {
  const Client client = make_client(RD_KAFKA_CONSUMER, place, {{"group.id", "feed"}});
  std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> out;
  const std::int32_t partitions = partition_count(client.get(), place);
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    auto& [low, high] = out[partition];
    const auto error = rd_kafka_query_watermark_offsets(client.get(), place.topic.c_str(),
                                                        partition, &low, &high, answer_within_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(place, "offsets", error);
  }
  return out;
}

void read(const Place& place, const std::function<void(const rd_kafka_message_t&)>& each,
          const std::function<Reading()>& at_end) {
  const Client client = make_client(RD_KAFKA_CONSUMER, place,
                                    {{"group.id", "feed"},
                                     {"enable.auto.commit", "false"},
                                     {"enable.partition.eof", "true"},
                                     {"isolation.level", "read_committed"},
                                     {"auto.offset.reset", "error"}});
  const std::int32_t partitions = partition_count(client.get(), place);
  assign_all(client.get(), place, partitions);
  std::set<std::int32_t> at_their_end;
  for (;;) {
    const std::unique_ptr<rd_kafka_message_t, DestroyMessage> message(
        rd_kafka_consumer_poll(client.get(), poll_ms));
    if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      at_their_end.insert(message->partition);
    } else if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      each(*message);
      continue;
    } else if (message && message->err != RD_KAFKA_RESP_ERR__TRANSPORT &&
               message->err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      fail(place, "reading", message->err);
    }
    if (at_their_end.size() == static_cast<std::size_t>(partitions) && at_end() == Reading::end) {
      return;
    }
  }
}

}  // namespace helsekontakter::feed

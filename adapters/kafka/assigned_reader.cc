#include "adapters/kafka/assigned_reader.h"

#include "adapters/kafka/properties.h"

#include <algorithm>
#include <array>
#include <span>

namespace helsekontakter::kafka {
namespace {

constexpr int wait_ms = 100;
constexpr std::size_t messages_max = 1000;

}  // namespace

Properties AssignedReader::properties(const Connection& connection, const std::string& password,
                                      const std::string& group) {
  Properties properties = reading_properties(connection, password, group);
  properties["fetch.wait.max.ms"] = "100";
  properties["fetch.error.backoff.ms"] = "100";
  properties["receive.message.max.bytes"] = "1000000000";
  return properties;
}

std::string AssignedReader::queued_kbytes(std::size_t bytes_max, std::size_t partitions) {
  const std::size_t share = bytes_max / std::max<std::size_t>(partitions, 1) / 1024;
  return std::to_string(std::clamp<std::size_t>(share, 64, 2'000'000));
}

Result<AssignedReader> AssignedReader::open(const Properties& properties, const std::string& topic,
                                            const std::map<Partition, Offset>& from,
                                            const Observer& observer) {
  auto client = make_client(RD_KAFKA_CONSUMER, properties, 0, observer);
  if (!client) return tl::unexpected(client.error());
  rd_kafka_poll_set_consumer((*client)->get());
  OwnedQueue queue(rd_kafka_queue_get_consumer((*client)->get()));
  const OwnedList list(rd_kafka_topic_partition_list_new(static_cast<int>(from.size())));
  for (const auto& [partition, offset] : from) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(),
                                      static_cast<std::int32_t>(partition))
        ->offset = offset;
  }
  const auto error = rd_kafka_assign((*client)->get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Remedy::retry,
                "the partitions of " + topic + " cannot be assigned: " + rd_kafka_err2str(error));
  }
  return AssignedReader(std::move(*client), std::move(queue));
}

Result<bool> AssignedReader::poll(const Take& take) {
  std::array<rd_kafka_message_t*, messages_max> messages{};
  const auto count =
      rd_kafka_consume_batch_queue(queue_.get(), wait_ms, messages.data(), messages.size());
  Result<bool> goes_on = true;
  for (auto* message : std::span(messages).first(count > 0 ? std::size_t(count) : 0)) {
    const Owned<rd_kafka_message_t, rd_kafka_message_destroy> owned(message);
    if (goes_on && *goes_on) goes_on = take(*owned);
  }
  return goes_on;
}

}  // namespace helsekontakter::kafka

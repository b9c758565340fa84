#include "adapters/kafka/offsets.h"

namespace helsekontakter::kafka {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

tl::unexpected<Error> unreachable(const std::string& what, rd_kafka_resp_err_t error) {
  return fail(Remedy::retry, what + ": " + rd_kafka_err2str(error) +
                                 "; check that the brokers (kafka.brokers) are up and reachable");
}

Result<std::map<Partition, Bounds>> read_committed(rd_kafka_t* consumer, const std::string& topic,
                                                   const std::vector<Partition>& partitions,
                                                   Deadline deadline) {
  const OwnedList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(),
                                      static_cast<std::int32_t>(partition));
  }
  const auto error = rd_kafka_committed(consumer, list.get(), remaining_ms(deadline));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return unreachable("the committed offsets of " + topic + " cannot be read", error);
  }
  std::map<Partition, Bounds> bounds;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& answer = list->elems[i];
    if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return unreachable("a committed offset of " + topic + " cannot be read", answer.err);
    }
    Bounds& bound = bounds[Partition{answer.partition}];
    if (answer.offset >= 0) bound.committed = answer.offset;
    if (answer.metadata != nullptr) {
      bound.metadata.assign(static_cast<const char*>(answer.metadata), answer.metadata_size);
    }
  }
  return bounds;
}

}  // namespace

Result<BoundsRead> read_bounds(rd_kafka_t* consumer, const std::string& topic,
                               const std::vector<Partition>& partitions, Deadline deadline) {
  BoundsRead read;
  // Committed offsets first: the end that is read later cannot lie below them.
  auto committed = read_committed(consumer, topic, partitions, deadline);
  if (!committed) return tl::unexpected(committed.error());
  read.bounds = std::move(*committed);
  for (auto& [partition, bounds] : read.bounds) {
    const auto error = rd_kafka_query_watermark_offsets(
        consumer, topic.c_str(), static_cast<std::int32_t>(partition), &bounds.first, &bounds.end,
        remaining_ms(deadline));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return unreachable("the bounds of a partition of " + topic + " cannot be read", error);
    }
  }
  const auto total = count_partitions(consumer, topic, deadline);
  if (!total) return tl::unexpected(total.error());
  read.partitions_total = static_cast<std::uint32_t>(*total);
  return read;
}

Result<std::int32_t> count_partitions(rd_kafka_t* client, const std::string& topic,
                                      Deadline deadline) {
  const Owned<rd_kafka_topic_t, rd_kafka_topic_destroy> local(
      rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (!local) return fail(Remedy::stop, "kafka: the topic name " + topic + " is not valid");
  const rd_kafka_metadata_t* found = nullptr;
  const auto error = rd_kafka_metadata(client, 0, local.get(), &found, remaining_ms(deadline));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return unreachable("the partitions of topic " + topic + " cannot be read", error);
  }
  struct DestroyMetadata {
    void operator()(const rd_kafka_metadata_t* metadata) const {
      rd_kafka_metadata_destroy(metadata);
    }
  };
  const std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata> metadata(found);
  if (metadata->topic_cnt != 1) return unreachable("topic " + topic, RD_KAFKA_RESP_ERR__FAIL);
  const rd_kafka_metadata_topic_t& answer = metadata->topics[0];
  if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR || answer.partition_cnt < 1) {
    return fail(Remedy::retry, "topic " + topic + ": " + rd_kafka_err2str(answer.err) +
                                   "; create it (`check --connect --create`) or give the worker's "
                                   "user the right to read it");
  }
  return answer.partition_cnt;
}

}  // namespace helsekontakter::kafka

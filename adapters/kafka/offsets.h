#pragma once

#include "adapters/kafka/assignment.h"
#include "adapters/kafka/client.h"
#include "worker/domain/result.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

// Questions to the broker that block. For threads that nobody waits for: query_watermark_offsets
// ignores its time-out in librdkafka 2.0.2 (#4460).

namespace helsekontakter::kafka {

struct BoundsRead {
  std::map<Partition, Bounds> bounds;
  std::uint32_t partitions_total = 1;  ///< of the topic
};

/// Committed offset, metadata and log bounds of each partition. Waits until no transaction that
/// writes offsets of them is open, so that the answer is final.
[[nodiscard]] Result<BoundsRead> read_bounds(rd_kafka_t* consumer, const std::string& topic,
                                             const std::vector<Partition>& partitions,
                                             std::chrono::steady_clock::time_point deadline);

/// How many partitions the topic has.
[[nodiscard]] Result<std::int32_t> count_partitions(rd_kafka_t* client, const std::string& topic,
                                                    std::chrono::steady_clock::time_point deadline);

}  // namespace helsekontakter::kafka

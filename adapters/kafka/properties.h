#pragma once

#include "adapters/crypto/password.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/settings.h"
#include "worker/domain/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::kafka {

/// Why a librdkafka property cannot be set by `properties`, or empty when it can.
[[nodiscard]] std::string_view reason_owned(std::string_view property);

/// Every property of the connection that is refused, one sentence each: owned by the worker, or
/// unknown to librdkafka. For start-up checks; needs no broker.
[[nodiscard]] std::vector<Error> refused_properties(const Connection& connection);

/// What reaches the cluster: brokers, user, TLS, and the operator's own properties.
[[nodiscard]] Properties connection_properties(const Connection& connection,
                                               const std::string& password);

/// Gives a running client the password as it stands now, for its next connections: librdkafka comes
/// back to a broker by itself, and would be refused for ever with one that was rotated. To be
/// called when something is wrong; a file that cannot be read now leaves it as it is.
void renew_password(rd_kafka_t* client, const Connection& connection,
                    const crypto::Password& password);

/// What each of our consumers has: reads what is committed, commits nothing by itself, is told the
/// ends of partitions, and takes an offset that is gone for an error.
[[nodiscard]] Properties reading_properties(const Connection& connection,
                                            const std::string& password, const std::string& group);

/// A group member that reads `partitions` partitions within settings.fetch_bytes_max.
[[nodiscard]] Properties consumer_properties(const SourceSettings& settings,
                                             const std::string& password, std::int32_t partitions);

/// What topics allow of a message.
struct TopicLimits {
  std::size_t results_bytes_max = 1'048'588;
  std::size_t dead_letter_bytes_max = 1'048'588;
};

[[nodiscard]] Properties producer_properties(const RecordSettings& settings,
                                             const std::string& password, TopicLimits limits);

}  // namespace helsekontakter::kafka

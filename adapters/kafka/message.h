#pragma once

#include "worker/domain/time.h"

#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

// What librdkafka's messages hold, in our types.

namespace helsekontakter::kafka {

/// Names and values, in order; they lie in the message. A value may be null.
using HeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;

/// Replaces what `headers` holds.
void read_headers(const rd_kafka_message_t& message, HeaderViews& headers);

/// When the message was made or appended, as the topic is set; 1970 when the broker does not say.
[[nodiscard]] WallTime time_of(const rd_kafka_message_t& message);

/// A null value is passed on as null: librdkafka takes it from the pointer.
void add_header(rd_kafka_headers_t* headers, std::string_view name, std::string_view value);

[[nodiscard]] inline std::string_view message_key(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key_len};
}

[[nodiscard]] inline std::string_view message_payload(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.len};
}

}  // namespace helsekontakter::kafka

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <librdkafka/rdkafka.h>

// The parts of librdkafka that a feed and a judge need. Throws std::runtime_error: these are
// programs for tests, and whatever goes wrong ends them.

namespace helsekontakter::feed {

struct Place {
  std::string brokers;
  std::string topic;
};

struct DestroyClient {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, DestroyClient>;

using Properties = std::map<std::string, std::string>;

[[nodiscard]] Client make_client(rd_kafka_type_t type, const Place& place, Properties properties,
                                 rd_kafka_conf_t* conf = rd_kafka_conf_new());

/// First and next offset of each partition, by number.
[[nodiscard]] std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> offsets(
    const Place& place);

/// What a reader does next.
enum class Reading { on, end };

/// Reads a topic from its beginning, read_committed. `each` gets every record; `at_end` is called
/// whenever every partition was read to its end, and at least every 100 ms after that.
void read(const Place& place, const std::function<void(const rd_kafka_message_t&)>& each,
          const std::function<Reading()>& at_end);

}  // namespace helsekontakter::feed

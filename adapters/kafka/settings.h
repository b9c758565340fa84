#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace helsekontakter::kafka {

/// How to reach a cluster: source.kafka.* and results.kafka.* share the shape.
struct Connection {
  std::vector<std::string> brokers;  ///< host:port
  std::string user;                  ///< with password: SASL SCRAM-SHA-512 over TLS
  std::string password_file;
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::map<std::string, std::string> properties;  ///< librdkafka's; owned ones are refused by name
};

enum class Start : std::uint8_t { earliest, latest };

struct SourceSettings {
  Connection connection;
  std::string topic;
  std::string group;
  std::string instance_id;        ///< empty: dynamic membership
  Start start = Start::earliest;  ///< only while neither an offset nor the ledger is there
  /// Those of the partitions, which have no committed offset, of which the ledger holds anything:
  /// there the offset was lost. Blocks; called on a thread that nobody waits for. Empty: there is
  /// no ledger.
  std::function<Result<std::set<Partition>>(const std::vector<Partition>&)> ledger_knows;
  /// How many the ledger was made for: with another number of the input's all are held. 0: there is
  /// no such ledger.
  std::uint32_t ledger_partitions = 0;
  std::size_t event_bytes_max = 1'048'576;
  std::size_t fetch_bytes_max = 67'108'864;  ///< all partition queues together: memory.bytes_max/4
  Milliseconds session_timeout{60'000};      ///< request_timeout + settle_time + 15 s
  Milliseconds rebalance_timeout{300'000};   ///< max.poll.interval.ms
  /// session_timeout − request_timeout − settle_time − 5 s: nothing is submitted when the group's
  /// coordinator was not heard from for so long.
  Milliseconds coordinator_silence_max{10'000};
};

struct RecordSettings {
  Connection connection;
  std::string topic;              ///< empty: results go elsewhere, records have none
  std::string dead_letter_topic;  ///< empty: none
  std::string source;             ///< CloudEvents source of the result events
  std::string environment;
  std::string transactional_id;  ///< group + instance id, or a UUID per process
  Milliseconds transaction_timeout{10'000};
  /// A record that is not durable by then, with all its attempts, has failed.
  Milliseconds record_timeout{30'000};
};

}  // namespace helsekontakter::kafka

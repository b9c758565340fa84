#include "adapters/kafka/properties.h"

#include <algorithm>
#include <array>

namespace helsekontakter::kafka {
namespace {

constexpr std::size_t bytes_beside_message = 350;  // what librdkafka adds to each (measured)
// Longer queues brought no more events a second, and what is read far ahead is out of the caches
// when it is decoded, and pushes the core's memory out of them too (measured).
constexpr std::size_t fetch_bytes_useful = 16 << 20;
constexpr std::size_t queue_bytes_useful = 256 << 10;

struct OwnedProperty {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view by_brokers = "say it by `brokers`";
constexpr std::string_view by_user = "say it by `user` and `password_file`";
constexpr std::string_view by_tls =
    "say it by `tls_ca_file`, `tls_certificate_file`, `tls_key_file`";
constexpr std::string_view by_source = "say it by source.kafka";
constexpr std::string_view derived =
    "it is derived from the worker's time-outs, which hang together";
constexpr std::string_view memory = "it is derived from memory.bytes_max";
constexpr std::string_view settles = "the worker settles by transactions, so that nothing is lost";
constexpr std::string_view guessing = "a lost offset is never guessed; see source.kafka.start";
constexpr std::string_view order = "the order of changes rests on it";

constexpr std::array owned_properties{
    OwnedProperty{"acks", settles},
    OwnedProperty{"auto.commit.enable", settles},
    OwnedProperty{"auto.commit.interval.ms", settles},
    OwnedProperty{"auto.offset.reset", guessing},
    OwnedProperty{"batch.num.messages", memory},
    OwnedProperty{"batch.size", "it is derived from the topics' max.message.bytes"},
    OwnedProperty{"bootstrap.servers", by_brokers},
    OwnedProperty{"delivery.timeout.ms", derived},
    OwnedProperty{"enable.auto.commit", settles},
    OwnedProperty{"enable.auto.offset.store", settles},
    OwnedProperty{"enable.idempotence", settles},
    OwnedProperty{"enable.partition.eof", "the worker learns by it how far it has read"},
    OwnedProperty{"fetch.max.bytes", memory},
    OwnedProperty{"fetch.message.max.bytes", memory},
    OwnedProperty{"group.id", by_source},
    OwnedProperty{"group.instance.id", by_source},
    OwnedProperty{"heartbeat.interval.ms", derived},
    OwnedProperty{"isolation.level", order},
    OwnedProperty{"max.in.flight", order},
    OwnedProperty{"max.in.flight.requests.per.connection", order},
    OwnedProperty{"max.partition.fetch.bytes", memory},
    OwnedProperty{"max.poll.interval.ms", derived},
    OwnedProperty{"message.max.bytes", "it is derived from the topics' max.message.bytes"},
    OwnedProperty{"message.send.max.retries", settles},
    OwnedProperty{"message.timeout.ms", derived},
    OwnedProperty{"metadata.broker.list", by_brokers},
    OwnedProperty{"offset.store.method", settles},
    OwnedProperty{"partition.assignment.strategy", order},
    OwnedProperty{"queue.buffering.max.kbytes", memory},
    OwnedProperty{"queue.buffering.max.messages", memory},
    OwnedProperty{"queued.max.messages.kbytes", memory},
    OwnedProperty{"receive.message.max.bytes", memory},
    OwnedProperty{"request.required.acks", settles},
    OwnedProperty{"retries", settles},
    OwnedProperty{"retry.backoff.ms", derived},
    OwnedProperty{"sasl.password", by_user},
    OwnedProperty{"sasl.username", by_user},
    OwnedProperty{"session.timeout.ms", derived},
    OwnedProperty{"ssl.ca.location", by_tls},
    OwnedProperty{"ssl.certificate.location", by_tls},
    OwnedProperty{"ssl.key.location", by_tls},
    OwnedProperty{"statistics.interval.ms", "the worker learns by it when the broker was heard"},
    OwnedProperty{"topic.metadata.refresh.interval.ms",
                  "the worker learns by it that the input got more partitions"},
    OwnedProperty{"transaction.timeout.ms", derived},
    OwnedProperty{"transactional.id", "it is made from the group and the instance"},
};

std::string joined(const std::vector<std::string>& brokers) {
  std::string text;
  for (const std::string& broker : brokers) {
    if (!text.empty()) text += ',';
    text += broker;
  }
  return text;
}

std::string milliseconds(Milliseconds duration) {
  return std::to_string(duration.count());
}

void set_if(Properties& properties, const char* name, const std::string& value) {
  if (!value.empty()) properties[name] = value;
}

}  // namespace

std::string_view reason_owned(std::string_view property) {
  const auto found =
      std::find_if(owned_properties.begin(), owned_properties.end(),
                   [&](const OwnedProperty& owned) { return owned.name == property; });
  return found == owned_properties.end() ? std::string_view{} : found->reason;
}

std::vector<Error> refused_properties(const Connection& connection) {
  std::vector<Error> errors;
  const OwnedConf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : connection.properties) {
    const std::string_view reason = reason_owned(name);
    const bool with_user = !connection.user.empty() &&
                           (name == "security.protocol" || name.starts_with("sasl.mechanism"));
    char problem[512];
    if (!reason.empty()) {
      errors.push_back({Remedy::stop, "kafka.properties: " + name +
                                          " belongs to the worker: " + std::string(reason)});
    } else if (with_user) {
      errors.push_back({Remedy::stop, "kafka.properties: " + name +
                                          " belongs to the worker while `user` is set: SASL " +
                                          "SCRAM-SHA-512 over TLS"});
    } else if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), problem,
                                 sizeof problem) != RD_KAFKA_CONF_OK) {
      errors.push_back(
          {Remedy::stop, "kafka.properties: librdkafka refuses " + name + ": " + problem});
    }
  }
  return errors;
}

Properties connection_properties(const Connection& connection, const std::string& password) {
  Properties properties{
      {"client.id", "helsekontakter"},
      {"log.connection.close", "false"},
      {"reconnect.backoff.max.ms", "5000"},
      {"socket.keepalive.enable", "true"},
  };
  for (const auto& [name, value] : connection.properties) properties[name] = value;
  properties["bootstrap.servers"] = joined(connection.brokers);
  set_if(properties, "ssl.ca.location", connection.tls_ca_file);
  set_if(properties, "ssl.certificate.location", connection.tls_certificate_file);
  set_if(properties, "ssl.key.location", connection.tls_key_file);
  if (!connection.user.empty()) {
    properties["security.protocol"] = "SASL_SSL";
    properties["sasl.mechanisms"] = "SCRAM-SHA-512";
    properties["sasl.username"] = connection.user;
    properties["sasl.password"] = password;
  } else if (!connection.tls_ca_file.empty() || !connection.tls_certificate_file.empty()) {
    properties.try_emplace("security.protocol", "SSL");
  }
  return properties;
}

void renew_password(rd_kafka_t* client, const Connection& connection,
                    const crypto::Password& password) {
  if (connection.user.empty()) return;
  const auto now = password.read();
  if (!now) return;
  const OwnedError refused(
      rd_kafka_sasl_set_credentials(client, connection.user.c_str(), now->c_str()));
}

Properties reading_properties(const Connection& connection, const std::string& password,
                              const std::string& group) {
  Properties properties = connection_properties(connection, password);
  properties["group.id"] = group;
  properties["auto.offset.reset"] = "error";
  properties["enable.auto.commit"] = "false";
  properties["enable.auto.offset.store"] = "false";
  properties["enable.partition.eof"] = "true";
  properties["isolation.level"] = "read_committed";
  return properties;
}

Properties consumer_properties(const SourceSettings& settings, const std::string& password,
                               std::int32_t partitions) {
  Properties properties = reading_properties(settings.connection, password, settings.group);
  set_if(properties, "group.instance.id", settings.instance_id);
  // A commit during a cooperative rebalance loses the assignment (librdkafka #4059).
  properties["partition.assignment.strategy"] = "range";
  properties["statistics.interval.ms"] = "1000";
  // Each member looks for itself and joins anew when the topic has got more partitions. By default
  // it would go on for five minutes while keys are read from other partitions than before.
  properties["topic.metadata.refresh.interval.ms"] = "10000";
  properties["session.timeout.ms"] = milliseconds(settings.session_timeout);
  properties["heartbeat.interval.ms"] =
      milliseconds(std::min(Milliseconds{3000}, settings.session_timeout / 3));
  properties["max.poll.interval.ms"] =
      milliseconds(std::max(settings.rebalance_timeout, settings.session_timeout));
  // The limit counts per partition queue, and a queue below it may take in one more fetch. It
  // counts keys and values only; small ones are outweighed by what librdkafka adds to each, so
  // their number is limited too.
  const auto queues = static_cast<std::size_t>(std::max(partitions, 1));
  const std::size_t fetch_bytes_max =
      std::min(settings.fetch_bytes_max, std::max(fetch_bytes_useful, queues * queue_bytes_useful));
  const std::size_t queue_kbytes = fetch_bytes_max / queues / 1024;
  const std::size_t limit_kbytes = std::clamp<std::size_t>(queue_kbytes * 3 / 8, 1, 2'000'000);
  const std::size_t limit_messages =
      std::clamp<std::size_t>(queue_kbytes * 384 / bytes_beside_message, 10, 1'000'000);
  const std::size_t one_fetch = std::clamp<std::size_t>(queue_kbytes * 128, 16'384, 1'048'576);
  properties["queued.max.messages.kbytes"] = std::to_string(limit_kbytes);
  properties["queued.min.messages"] = std::to_string(limit_messages);
  properties["fetch.message.max.bytes"] = std::to_string(one_fetch);
  properties["message.max.bytes"] = "1000000";
  properties["fetch.max.bytes"] =
      std::to_string(std::clamp<std::size_t>(fetch_bytes_max / 2, 1'000'000, 52'428'800));
  // A broker sends a message that is larger than the fetch limits alone; this lets it through.
  properties["receive.message.max.bytes"] = "1000000000";
  properties["fetch.wait.max.ms"] = "100";
  // librdkafka 2.0 waits so long also when a queue was full, which short ones often are.
  properties["fetch.error.backoff.ms"] = "20";
  return properties;
}

Properties producer_properties(const RecordSettings& settings, const std::string& password,
                               TopicLimits limits) {
  Properties properties = connection_properties(settings.connection, password);
  properties["transactional.id"] = settings.transactional_id;
  properties["transaction.timeout.ms"] = milliseconds(settings.transaction_timeout);
  properties["message.timeout.ms"] = milliseconds(settings.transaction_timeout);
  properties["enable.idempotence"] = "true";
  properties["acks"] = "all";
  if (!properties.contains("compression.type")) {
    properties.try_emplace("compression.codec", "lz4");
  }
  properties["linger.ms"] = "10";
  // Most of a transaction's time is waiting between its steps: 58 ms instead of 100 (measured).
  properties["retry.backoff.ms"] = "20";
  const auto [smaller, larger] =
      std::minmax(limits.results_bytes_max, limits.dead_letter_bytes_max);
  // What is over the limit waits in the record; the limit keeps copies of it few. It must let the
  // largest message pass alone.
  properties["queue.buffering.max.messages"] = "50000";
  properties["queue.buffering.max.kbytes"] =
      std::to_string(std::clamp<std::size_t>(larger / 512, 16'384, 2'000'000));
  properties["message.max.bytes"] =
      std::to_string(std::clamp<std::size_t>(larger, 1000, 1'000'000'000));
  // The topic's limit holds for the batch in which a message travels.
  properties["batch.size"] = std::to_string(std::clamp<std::size_t>(smaller, 1000, 1'000'000));
  properties["batch.num.messages"] = "10000";
  return properties;
}

}  // namespace helsekontakter::kafka

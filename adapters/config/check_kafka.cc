#include "adapters/config/sections.h"
#include "adapters/kafka/properties.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace helsekontakter::config {
namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  return fault == std::errc{} && end == text.data() + text.size() && port > 0;
}

bool is_broker(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  return colon != std::string_view::npos && colon > 0 && is_port(text.substr(colon + 1)) &&
         text.find_first_of(" ,/@") == std::string_view::npos;
}

/// Kafka's own rule for the names of topics.
bool is_topic(std::string_view text) {
  return text != "." && text != ".." && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

void check_connection(const Values& values, std::string_view section, Errors& errors) {
  check_together_given(values, section, "user", "password_file", errors);
  check_together_given(values, section, "tls_certificate_file", "tls_key_file", errors);
  const std::string brokers = below(section, "brokers");
  if (!values.given(brokers)) return;
  if (values.list(brokers).empty()) {
    errors.push_back(values.error(brokers, "at least one host:port is needed"));
  }
  for (const std::string& broker : values.list(brokers)) {
    if (is_broker(broker)) continue;
    ConfigurationError error = values.error(brokers, "is no host:port");
    // What stands before an @ may be a password.
    if (broker.find('@') == std::string::npos) {
      error.value = scrub_national_ids(broker.substr(0, 100));
    }
    errors.push_back(std::move(error));
  }
}

/// librdkafka quotes the value that it refuses; it may be a secret.
std::string without_values(std::string message, const kafka::Connection& connection) {
  for (const auto& [name, value] : connection.properties) {
    const std::string quoted = "\"" + value + "\"";
    for (std::size_t at = message.find(quoted); at != std::string::npos && !value.empty();
         at = message.find(quoted)) {
      message.replace(at, quoted.size(), "its value");
    }
  }
  return message;
}

void check_properties(const Values& values, std::string_view section,
                      const kafka::Connection& connection, Errors& errors) {
  const std::string path = below(section, "properties");
  if (!values.given(path)) return;
  for (const Error& refused : kafka::refused_properties(connection)) {
    errors.push_back(values.error(path, without_values(refused.message, connection)));
  }
}

}  // namespace

void check_together_given(const Values& values, std::string_view section, std::string_view one,
                          std::string_view other, Errors& errors) {
  const std::string first = below(section, one);
  const std::string second = below(section, other);
  if (values.mentions(first) == values.mentions(second)) return;
  const bool has_first = values.mentions(first);
  errors.push_back(values.error(has_first ? first : second,
                                "needs " + (has_first ? second : first) + " beside it"));
}

void check_kafka(const Values& values, const Configuration& out, Errors& errors) {
  check_connection(values, "source.kafka", errors);
  check_connection(values, "results.kafka", errors);
  check_properties(values, "source.kafka", out.source.connection, errors);
  check_properties(values, "results.kafka", out.record.connection, errors);
  constexpr std::string_view topics[]{"source.kafka.topic", "results.kafka.topic",
                                      "results.kafka.dead_letter_topic", "ledger.kafka.topic",
                                      "ledger.kafka.shared_topic"};
  for (const std::string_view path : topics) {
    if (!values.given(path)) continue;
    if (!is_topic(values.text(path))) {
      errors.push_back(values.error(path, "letters, digits, '.', '_' and '-' are allowed"));
    }
    for (const std::string_view other : topics) {
      if (other == path) break;
      if (values.given(other) && values.text(other) == values.text(path)) {
        errors.push_back(values.error(
            path, "is the same topic as " + std::string(other) + "; each needs one of its own"));
      }
    }
  }
}

}  // namespace helsekontakter::config

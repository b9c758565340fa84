#pragma once

#include "adapters/config/configuration.h"

#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::config {

/// What an operator must say, and no more.
inline constexpr std::string_view least = R"(
environment: TEST1
source:
  kafka:
    brokers: [kafka-1:9092, kafka-2:9092]
    topic: membership-changes
    group: helsekontakter
    tls_ca_file: /etc/kafka/ca.pem
results:
  kafka: {topic: membership-results}
ledger:
  kafka: {topic: helsekontakter-ledger, shared_topic: helsekontakter-shared}
  hmac_key_file: /run/secrets/ledger-hmac
  sealing_key_files: [/run/secrets/ledger-seal]
organizations:
  "948554062": {}
auth:
  client_id: 7f1c2f5e-0000-4000-8000-3d6f0a4b9c11
  jwk_file: /run/secrets/helseid-jwk
)";

/// The least, with one stretch of it replaced, or with lines added at its end.
[[nodiscard]] std::string with(std::string_view old_text, std::string_view new_text);
[[nodiscard]] std::string least_and(std::string_view lines);

/// The errors, one line each; empty when it loads.
[[nodiscard]] std::string errors_of(std::string_view yaml, const Environment& environment = {});
[[nodiscard]] std::vector<ConfigurationError> faults_of(std::string_view yaml,
                                                        const Environment& environment = {});

/// The configuration, which must load; its errors are thrown as std::runtime_error.
[[nodiscard]] Configuration loaded(std::string_view yaml, const Environment& environment = {});

}  // namespace helsekontakter::config

#pragma once

#include "adapters/config/configuration.h"
#include "adapters/config/values.h"

#include <string_view>
#include <vector>

// The steps of load_text(). Each fills in its part and appends what is wrong.

namespace helsekontakter::config {

using Errors = std::vector<ConfigurationError>;

/// organizations.*, for the core and for HelseID.
void read_organizations(const Values& values, Configuration& out, Errors& errors);

/// outcome.rules, linted.
void read_rules(const Values& values, Configuration& out, Errors& errors);

/// Broker addresses, owned properties, users and their passwords.
void check_kafka(const Values& values, const Configuration& out, Errors& errors);

/// URLs, hosts that belong to another environment, identity numbers, credentials.
void check_environment(const Values& values, Configuration& out, Errors& errors);

/// Which section of source and of results was chosen, and that it is one, and that they go
/// together.
void choose_technologies(const Values& values, Configuration& out, Errors& errors);

/// source.amqp and results.amqp.
void read_amqp(const Values& values, Configuration& out, Errors& errors);

/// One of two options that belong together stands there alone.
void check_together_given(const Values& values, std::string_view section, std::string_view one,
                          std::string_view other, Errors& errors);

/// source.file and results.file.
void read_files(const Values& values, Configuration& out, Errors& errors);

/// "source.kafka" for an option of Kafka's source, "ledger.sqlite"; empty for one that no choice
/// concerns.
[[nodiscard]] std::string_view technology_section(std::string_view path);

/// Whether the section of source, results or ledger is the one that was chosen.
[[nodiscard]] bool is_chosen(const Configuration& out, std::string_view section);

/// Numbers that hang together (design 7), and other contradictions between options.
void check_together(const Values& values, Configuration& out, Errors& errors);

}  // namespace helsekontakter::config

#pragma once

#include "adapters/config/option.h"

#include <span>

// The parts of option_table(), in its order. The default of an option equals that of the settings
// struct which load.cc fills in (worker/ports/settings.h and the adapters' settings.h); a unit test
// compares the two.

namespace helsekontakter::config {

/// What this release has. A key of what it lacks stands in the table all the same, and is refused
/// by name; with true here it is read.
inline constexpr bool has_amqp = true;
inline constexpr bool has_kafka_ledger = true;
inline constexpr bool has_sqlite_ledger = true;
inline constexpr bool has_ledger = has_kafka_ledger || has_sqlite_ledger;

/// environment, source, version
[[nodiscard]] std::span<const Option> source_options();
/// results, ledger, organizations
[[nodiscard]] std::span<const Option> results_options();
/// api, auth, fhir
[[nodiscard]] std::span<const Option> endpoint_options();
/// everything below
[[nodiscard]] std::span<const Option> worker_options();

}  // namespace helsekontakter::config

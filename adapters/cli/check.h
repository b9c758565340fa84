#pragma once

#include "adapters/config/configuration.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace helsekontakter::cli {

/// What `check` may ask the outside. Each probe has a deadline of its own, answers with one
/// sentence of what was found, and never submits a member. An empty probe is left out, and the
/// report says so.
struct Probes {
  using Probe = std::function<Result<std::string>()>;
  Probe broker;  ///< reachable, and accepts us
  Probe input;   ///< of AMQP and files: there, and readable
  Probe output;  ///< of AMQP and files: can be written
  Probe ledger;  ///< of SQLite: its file can be kept
  std::function<Result<std::string>(bool create)> topics;  ///< input, results, dead letters
  std::function<Result<std::string>(OrganizationNumber)> token;
  std::function<Result<std::string>(OrganizationNumber)> status_token;
  Probe endpoint;                                    ///< name, connection, TLS
  std::function<Result<Milliseconds>()> clock_skew;  ///< the endpoint's clock minus ours
};

struct CheckOptions {
  bool connect = false;
  bool create = false;           ///< make missing topics
  std::int32_t partitions = 12;  ///< of an input topic that is made; it cannot shrink or grow later
};

/// What the configuration promises: from which source to which results, and how often each result
/// can be seen (design 10). One sentence.
[[nodiscard]] std::string delivery_guarantee(const config::Configuration& configuration);

/// On what the order of the changes of a member rests; empty where nothing is left to the operator.
[[nodiscard]] std::string order_guarantee(const config::Configuration& configuration);

/// The numbers that follow from others, a line each (design 7).
[[nodiscard]] std::vector<std::string> derived_numbers(const config::Configuration& configuration);

/// Writes what was found, a line each, and returns the exit status: 0 well, 1 a probe failed. All
/// probes are made, whatever failed before.
[[nodiscard]] int check(const config::Configuration& configuration, const CheckOptions& options,
                        const Probes& probes, std::ostream& out);

}  // namespace helsekontakter::cli

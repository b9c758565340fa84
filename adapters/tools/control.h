#pragma once

#include "adapters/config/configuration.h"
#include "adapters/tools/surroundings.h"
#include "worker/ledger/shared.h"

#include <optional>
#include <string>

namespace helsekontakter::tools {

struct ControlOptions {
  std::string action;        ///< hold, resume, release-brake, retry-now
  std::string organization;  ///< empty: the endpoint; the source, for release-brake; all
  std::string why = "held by an operator";
};

/// The fact that an action stands for; nothing for another word.
[[nodiscard]] std::optional<SharedFact> fact_of(
    const ControlOptions& options, const std::optional<OrganizationNumber>& organization,
    WallTime now);

/// `control`: tells every worker by the shared topic. Returns the exit status.
int control(const config::Configuration& configuration, const ControlOptions& options,
            const Streams& streams);

}  // namespace helsekontakter::tools

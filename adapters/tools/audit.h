#pragma once

#include "adapters/config/configuration.h"
#include "adapters/tools/surroundings.h"

#include <string>

namespace helsekontakter::tools {

struct AuditOptions {
  std::string from = "earliest";
  std::string to = "latest";
};

/// `audit`: reads input, results and ledger, and proves that every change event that was settled
/// has exactly one terminal result, or waits in the ledger. Returns the exit status.
int audit(const config::Configuration& configuration, const AuditOptions& options,
          const Streams& streams);

}  // namespace helsekontakter::tools

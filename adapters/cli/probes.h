#pragma once

#include "adapters/cli/check.h"

namespace helsekontakter::cli {

/// Probes of the real broker, HelseID and endpoint. The configuration outlives them. What they need
/// is opened when it is first asked for, so a fault of one says nothing of the others.
[[nodiscard]] Probes real_probes(const config::Configuration& configuration,
                                 const CheckOptions& options);

}  // namespace helsekontakter::cli

#pragma once

#include "adapters/cli/check.h"

namespace helsekontakter::cli {

/// Probes of the real broker, HelseID and endpoint. The configuration outlives them.
[[nodiscard]] Probes real_probes(const config::Configuration& configuration);

}  // namespace helsekontakter::cli

#pragma once

#include "adapters/config/configuration.h"

namespace helsekontakter::cli {

struct RunOptions {
  bool drain = false;  ///< stop at the ends noted at assignment, with status 0
};

/// Works until SIGTERM or until drained. Returns the exit status of design 14.
[[nodiscard]] int run(const config::Configuration& configuration, const RunOptions& options);

}  // namespace helsekontakter::cli

#pragma once

#include "adapters/config/configuration.h"
#include "adapters/tools/surroundings.h"

#include <string>

namespace helsekontakter::tools {

struct ReplayOptions {
  std::string from;
  std::string to = "latest";
  std::string organization;  ///< empty: all
  std::string verdict;       ///< empty: whatever it was
  double rate = 0;           ///< events a second; 0: as fast as the brokers take them
  std::string resume;        ///< id of a replay that was interrupted
  bool dry_run = false;
};

/// `replay`: sends the newest event of each member in a stretch of the input once more, into the
/// same partitions. Returns the exit status.
int replay(const config::Configuration& configuration, const ReplayOptions& options,
           const Streams& streams);

}  // namespace helsekontakter::tools

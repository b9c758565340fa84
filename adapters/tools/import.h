#pragma once

#include "adapters/config/configuration.h"
#include "adapters/tools/surroundings.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace helsekontakter::tools {

struct ImportOptions {
  std::string organization;
  std::string previous;  ///< empty: none, so every line is sent and nobody ends
  std::string list;
  std::string key_column;
  std::map<std::string, std::string> columns;  ///< field -> the list's name of it
  std::string delimiter = ",";                 ///< one character, or "tab"
  double ends_share_max = 0.05;
  std::optional<std::int64_t> version;  ///< none: milliseconds since 1970
  bool java_partitioner = true;
  bool dry_run = false;
};

/// `import`: a member list becomes change events on the input topic, all of them or none; for a
/// file as source they go to standard output. Returns the exit status.
int import_list(const config::Configuration& configuration, const ImportOptions& options,
                const Streams& streams);

}  // namespace helsekontakter::tools

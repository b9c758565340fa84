#pragma once

#include "adapters/config/configuration.h"
#include "worker/domain/result.h"

#include <string>

namespace helsekontakter::cli {

/// Looks at the files of a configuration. Creates nothing and locks nothing, so a worker that runs
/// is not disturbed. One thread calls.
class FileProbe {
 public:
  explicit FileProbe(const config::Configuration& configuration) : configuration_(configuration) {}

  /// The source is there and readable; the folder of its checkpoint can be written.
  [[nodiscard]] Result<std::string> input() const;
  /// The folders of results and dead letters can be written.
  [[nodiscard]] Result<std::string> output() const;
  /// The folder of the ledger's file can be written.
  [[nodiscard]] Result<std::string> ledger() const;

 private:
  const config::Configuration& configuration_;
};

}  // namespace helsekontakter::cli

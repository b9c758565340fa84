#pragma once

#include "adapters/config/configuration.h"
#include "worker/domain/result.h"

#include <string>

namespace helsekontakter::cli {

/// Attaches where a configuration reads and writes, takes and sends nothing. One thread calls.
class AmqpProbe {
 public:
  explicit AmqpProbe(const config::Configuration& configuration) : configuration_(configuration) {}

  /// The source's queue is there, and may be read.
  [[nodiscard]] Result<std::string> input() const;
  /// Results and dead letters have an address that may be written to.
  [[nodiscard]] Result<std::string> output() const;

 private:
  const config::Configuration& configuration_;
};

}  // namespace helsekontakter::cli

#include "adapters/cli/run.h"

#include <iostream>

namespace helsekontakter::cli {

int run(const config::Configuration&, const RunOptions&) {
  std::cerr << "helsekontakter: `run` is not in this build\n";
  return 1;
}

}  // namespace helsekontakter::cli

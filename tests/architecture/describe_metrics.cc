// Prints the table of metrics, tab-separated, for README.md and the test that holds it in step.

#include "adapters/telemetry/metric_table.h"

#include <iostream>

int main() {
  for (const auto& entry : helsekontakter::telemetry::metric_table()) {
    std::cout << entry.name << '\t' << helsekontakter::telemetry::name(entry.type) << '\t'
              << entry.labels << '\t' << entry.help << '\n';
  }
}

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace helsekontakter::telemetry {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

/// One metric as it is exposed; the documentation and the alerts are held against this table.
struct MetricEntry {
  std::string_view name;
  MetricType type;
  std::string_view labels;  ///< names, separated by commas; empty: none
  std::string_view help;
};

[[nodiscard]] std::span<const MetricEntry> metric_table();
[[nodiscard]] std::string_view name(MetricType type);

}  // namespace helsekontakter::telemetry

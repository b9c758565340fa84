#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::config {

enum class OptionsFormat : std::uint8_t { table, yaml, json_schema };

/// "table", "yaml" or "json-schema".
[[nodiscard]] std::optional<OptionsFormat> options_format(std::string_view name);

/// Every option, from the table alone. `yaml` is a file that loads (its examples are no real
/// addresses); `json_schema` (2020-12) is for editors and demands no key, since any may come from
/// the environment. Both leave out what is not in this release.
[[nodiscard]] std::string describe_options(OptionsFormat format);

}  // namespace helsekontakter::config

#pragma once

#include <optional>
#include <string_view>

#include <simdjson.h>

namespace helsekontakter::helseid {

/// The text that an object has under this name; nothing when it has none, or something else.
[[nodiscard]] inline std::optional<std::string_view> text_of(const simdjson::dom::object& object,
                                                             std::string_view name) {
  std::string_view value;
  if (object[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace helsekontakter::helseid

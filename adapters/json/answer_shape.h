#pragma once

#include <string>
#include <string_view>

#include <simdjson.h>

namespace helsekontakter::json {

/// How an answer is built, for a person who must teach us to read it: JSON types, counts and member
/// names, at most 512 bytes. Never a value; a name that looks like a value (anything but letters
/// and underscores) is shown as *.
[[nodiscard]] std::string shape_of(const simdjson::dom::element& value);

/// The same for a body that is no JSON: its kind and its length.
[[nodiscard]] std::string shape_of_text(std::string_view body);

}  // namespace helsekontakter::json

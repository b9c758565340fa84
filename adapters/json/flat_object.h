#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::json {

/// Names and values of a JSON object whose values are texts, numbers, booleans or null (left out),
/// each value as text. An error says what is wrong, without any value.
[[nodiscard]] tl::expected<std::vector<std::pair<std::string, std::string>>, std::string>
read_flat_object(std::string_view text);

[[nodiscard]] bool is_valid_utf8(std::string_view text);

}  // namespace helsekontakter::json

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::helseid {

/// RFC 4648 section 5, without padding, as JOSE uses it.
[[nodiscard]] std::string base64url(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string base64url(std::string_view text);

/// Nothing for padding, for other characters, and for bits left over that are not zero.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

}  // namespace helsekontakter::helseid

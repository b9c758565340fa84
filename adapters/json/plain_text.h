#pragma once

#include <cstddef>
#include <string>

namespace helsekontakter::json {

/// Texts from outside that will be shown are at most this long.
inline constexpr std::size_t shown_bytes_max = 256;

/// The text without identity numbers, shortened to shown_bytes_max bytes at a UTF-8 boundary.
/// Numbers are scrubbed before the cut, which could hide one half of them, and after it, which
/// could bare one.
[[nodiscard]] std::string shown(std::string text);

}  // namespace helsekontakter::json

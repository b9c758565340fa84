#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace helsekontakter::config {

/// Insertions, deletions and replacements of one character, and swaps of two adjacent ones, that
/// turn one text into the other.
[[nodiscard]] std::size_t edit_distance(std::string_view one, std::string_view other);

/// The known key that looks most like the unknown one; empty when none does.
[[nodiscard]] std::string nearest_key(std::string_view unknown);

}  // namespace helsekontakter::config

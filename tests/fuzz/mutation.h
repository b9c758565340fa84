#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace helsekontakter::fuzz {

/// The text with one to eight small damages: bytes flipped, cut, doubled, moved, or replaced by
/// tokens that parsers stumble over. The same engine state gives the same text everywhere.
[[nodiscard]] std::string mutated(std::string text, std::mt19937_64& random);

/// How many texts each seed yields; HELSEKONTAKTER_FUZZ_ROUNDS overrides it.
[[nodiscard]] std::size_t rounds();

/// True when the text is valid UTF-8 by RFC 3629.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace helsekontakter::fuzz

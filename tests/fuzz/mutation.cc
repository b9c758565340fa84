#include "tests/fuzz/mutation.h"

#include "tests/support/number_from.h"

#include <array>

namespace helsekontakter::fuzz {
namespace {

constexpr std::array<std::string_view, 24> tokens{
    "\"",   "\\",   "{",    "}",     "[",       "]",    ",",           ":",
    "null", "true", "-1",   "1e999", "1.0",     "0",    "\\u0000",     "\\ud800",
    "\xC3", "\xFF", "\"\"", "{}",    "\"id\":", "\x01", "13116900216", "9007199254740993"};

std::size_t below(std::mt19937_64& random, std::size_t limit) {
  return limit == 0 ? 0 : static_cast<std::size_t>(random() % limit);
}

void damage(std::string& text, std::mt19937_64& random) {
  const std::size_t at = below(random, text.size() + 1);
  const std::size_t length = below(random, 12);
  switch (random() % 6) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, tokens[below(random, tokens.size())]);
      break;
    case 3:
      text.replace(at, length, tokens[below(random, tokens.size())]);
      break;
    case 4:
      text.insert(below(random, text.size() + 1), std::string(text.substr(at, length * 4)));
      break;
    default:
      if (random() % 8 == 0) text.resize(at);
      break;
  }
}

}  // namespace

std::string mutated(std::string text, std::mt19937_64& random) {
  for (std::size_t i = 1 + below(random, 8); i > 0; --i) damage(text, random);
  return text;
}

std::size_t rounds() {
  return test::number_from("HELSEKONTAKTER_FUZZ_ROUNDS", 20'000);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    std::size_t length = 1;
    std::uint32_t code = lead;
    if (lead >= 0x80) {
      length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
      if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return false;
      code = lead & (0x7Fu >> length);
    }
    for (std::size_t i = 1; i < length; ++i) {
      const auto trail = static_cast<unsigned char>(text[at + i]);
      if ((trail & 0xC0) != 0x80) return false;
      code = code << 6 | (trail & 0x3F);
    }
    if (length == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) return false;
    if (length == 4 && (code < 0x10000 || code > 0x10FFFF)) return false;
    at += length;
  }
  return true;
}

}  // namespace helsekontakter::fuzz

#include "adapters/helseid/fault.h"

#include <algorithm>

namespace helsekontakter::helseid {
namespace {

/// Longer than a GUID, an organisation number or an OAuth code; shorter than any JWT.
constexpr std::size_t word_length_max = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Characters of base64url and base64, and what joins the parts of a JWT.
bool is_of_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.' || c == '+' || c == '/' || c == '=' || c == '~';
}

template <class Predicate>
std::size_t run_length(std::string_view text, Predicate belongs) {
  const auto end = std::find_if_not(text.begin(), text.end(), belongs);
  return static_cast<std::size_t>(end - text.begin());
}

void append_word(std::string& out, std::string_view word) {
  if (word.size() > word_length_max) {
    out += "[...]";
    return;
  }
  while (!word.empty()) {
    const std::size_t digits = run_length(word, is_digit);
    const std::size_t length = std::max<std::size_t>(digits, 1);
    if (digits == 11) {
      out += "[number]";
    } else {
      out += word.substr(0, length);
    }
    word.remove_prefix(length);
  }
}

}  // namespace

std::string presentable(std::string_view text, std::size_t length_max) {
  text = text.substr(0, 4 * length_max + word_length_max);
  std::string out;
  while (!text.empty() && out.size() < length_max) {
    const std::size_t word = run_length(text, is_of_word);
    if (word > 0) {
      append_word(out, text.substr(0, word));
    } else {
      out += text.front() >= 0x20 && text.front() < 0x7f ? text.front() : ' ';
    }
    text.remove_prefix(std::max<std::size_t>(word, 1));
  }
  if (out.size() > length_max) out.resize(length_max);
  return out;
}

}  // namespace helsekontakter::helseid

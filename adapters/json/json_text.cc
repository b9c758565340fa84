#include "adapters/json/json_text.h"

#include "adapters/json/characters.h"

#include <algorithm>
#include <cstdint>
#include <new>

namespace helsekontakter::json {
namespace {

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// Where the number that begins at `at` ends by JSON's grammar; `at` itself when it is none.
std::size_t end_of_number(std::string_view text, std::size_t at) {
  std::size_t end = at;
  if (end < text.size() && text[end] == '-') ++end;
  const std::size_t whole = end;
  end = skip_digits(text, end);
  if (end == whole || (text[whole] == '0' && end > whole + 1)) return at;
  if (end < text.size() && text[end] == '.') {
    const std::size_t fraction = end + 1;
    end = skip_digits(text, fraction);
    if (end == fraction) return at;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    end = skip_digits(text, exponent);
    if (end == exponent) return at;
  }
  return end;
}

bool is_plain_integer(std::string_view number) {
  return number.size() <= 18 && number.find_first_of(".eE") == std::string_view::npos;
}

std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at < text.size() ? at + 1 : text.size();
}

/// The text with every number that might be out of range replaced; what is no number is left for
/// the parser to refuse.
std::string tame_numbers(std::string_view text) {
  std::string out;
  out.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    bool replaced = false;
    if (text[at] == '"') {
      end = end_of_string(text, at);
    } else if (text[at] == '-' || is_digit(text[at])) {
      const std::size_t number_end = end_of_number(text, at);
      if (number_end > at) end = number_end;
      replaced = number_end > at && !is_plain_integer(text.substr(at, number_end - at));
    }
    out.append(replaced ? std::string_view{"0.5"} : text.substr(at, end - at));
    at = end;
  }
  return out;
}

}  // namespace

simdjson::simdjson_result<simdjson::dom::element> JsonText::parse(std::string_view text) {
  padded_.assign(text);
  auto parsed = parse_padded();
  if (parsed.error() != simdjson::NUMBER_ERROR) return parsed;
  padded_ = tame_numbers(text);
  return parse_padded();
}

simdjson::simdjson_result<simdjson::dom::element> JsonText::parse_padded() {
  const std::size_t length = padded_.size();
  padded_.append(simdjson::SIMDJSON_PADDING, '\0');
  if (length > parser_.capacity()) {
    const std::size_t grown = std::max({length, 2 * parser_.capacity(), std::size_t{4096}});
    if (parser_.allocate(grown, depth_max) != simdjson::SUCCESS) throw std::bad_alloc();
  }
  auto parsed = parser_.parse(padded_.data(), length, false);
  if (parsed.error() == simdjson::MEMALLOC) throw std::bad_alloc();
  return parsed;
}

}  // namespace helsekontakter::json

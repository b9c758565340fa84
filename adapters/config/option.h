#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::config {

inline constexpr double mebibyte = 1024.0 * 1024.0;

enum class OptionType : std::uint8_t {
  boolean,
  integer,
  number,
  text,
  choice,
  list,           ///< of texts
  map,            ///< text to text
  organizations,  ///< organisation number to its own settings
  rules,          ///< outcome.rules
};

/// One key of the operator's file. Reading, environment variables, `options`, the JSON Schema and
/// the nearest known key all follow from the table of these; nothing about a key is said twice.
struct Option {
  std::string_view path;  ///< "api.request_timeout_s"
  OptionType type = OptionType::text;
  std::string_view unit = {};
  std::string_view fallback = {};  ///< the default, written as YAML; empty: none
  std::string_view derived = {};   ///< where there is no fixed default: what applies then
  std::string_view example = {};   ///< where there is no fixed default: a value that loads
  double minimum = 0;              ///< of a number
  double maximum = 0;              ///< of a number; of a text: characters; 0: not bounded
  bool may_be_empty = false;       ///< a text that is empty means something of its own
  std::string_view choices = {};   ///< separated by '|'
  bool required = false;
  bool secret = false;    ///< its value is never shown
  bool available = true;  ///< false: not in this release
  bool alternative =
      false;  ///< of what is chosen instead of Kafka: `options` shows it as a comment
  std::string_view meaning = {};
};

/// Every option, in the order of the operator's file.
[[nodiscard]] std::span<const Option> option_table();

/// nullptr: no such key.
[[nodiscard]] const Option* find_option(std::string_view path);

/// True when some option lies below: "api", "source.kafka".
[[nodiscard]] bool is_section(std::string_view path);

/// "HELSEKONTAKTER_API__BASE_URL" for "api.base_url".
[[nodiscard]] std::string variable_of(std::string_view path);

/// "a number from 0.1 to 600 s": what a value of this option must be.
[[nodiscard]] std::string allowed_values(const Option& option);

/// The parts between the '|'; none for an empty text.
[[nodiscard]] std::vector<std::string_view> split_choices(std::string_view choices);

/// True when the option's value is the name of a file: its path ends in `_file`.
[[nodiscard]] bool names_file(const Option& option);

/// False for what may be a key or a password, pasted where a file's name belongs: it must not be
/// shown. Names that begin with / or ./ and hold nothing that a JWK, PEM or base64 text does.
[[nodiscard]] bool looks_like_a_file_name(std::string_view text);

}  // namespace helsekontakter::config

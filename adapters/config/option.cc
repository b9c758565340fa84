#include "adapters/config/option.h"

#include "adapters/config/option_tables.h"

#include <algorithm>
#include <charconv>

namespace helsekontakter::config {
namespace {

std::string number_text(double number) {
  char digits[32];
  const auto [end, fault] =
      std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed);
  return fault == std::errc{} ? std::string(digits, end) : std::string();
}

std::string listed(std::string_view choices) {
  const std::vector<std::string_view> parts = split_choices(choices);
  if (parts.size() == 1) return std::string(parts.front());
  std::string out = "one of ";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += ", ";
    out += parts[i];
  }
  return out;
}

}  // namespace

std::span<const Option> option_table() {
  static const std::vector<Option> table = [] {
    std::vector<Option> all;
    for (const auto part :
         {source_options(), results_options(), endpoint_options(), worker_options()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

const Option* find_option(std::string_view path) {
  const auto table = option_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Option& option) { return option.path == path; });
  return found == table.end() ? nullptr : &*found;
}

bool is_section(std::string_view path) {
  const auto table = option_table();
  return std::any_of(table.begin(), table.end(), [&](const Option& option) {
    return option.path.size() > path.size() && option.path.starts_with(path) &&
           option.path[path.size()] == '.';
  });
}

std::string variable_of(std::string_view path) {
  std::string out = "HELSEKONTAKTER_";
  for (const char c : path) {
    if (c == '.') {
      out += "__";
    } else {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> parts;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    parts.push_back(choices.substr(0, bar));
    choices = bar == std::string_view::npos ? std::string_view() : choices.substr(bar + 1);
  }
  return parts;
}

bool names_file(const Option& option) {
  return option.path.ends_with("_file");
}

bool looks_like_a_file_name(std::string_view text) {
  return text.size() <= 256 && (text.starts_with('/') || text.starts_with("./")) &&
         text.find_first_of("={}\"' \t\n") == std::string_view::npos;
}

std::string allowed_values(const Option& option) {
  const std::string unit = option.unit.empty() ? "" : " " + std::string(option.unit);
  const std::string range = option.maximum > 0 ? " from " + number_text(option.minimum) + " to " +
                                                     number_text(option.maximum)
                                               : "";
  switch (option.type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::integer:
      return "a whole number" + range + unit;
    case OptionType::number:
      return "a number" + range + unit;
    case OptionType::choice:
      return listed(option.choices);
    case OptionType::list:
      return "a list of texts";
    case OptionType::map:
      return "a map of texts";
    case OptionType::organizations:
      return "a map from organisation number to its settings";
    case OptionType::rules:
      return "a list of {lane, status, code, text, verdict, reason}";
    case OptionType::text:
      break;
  }
  if (names_file(option)) return "the name of a file";
  if (option.maximum == 0) return "a text";
  return std::string("a text of ") + (option.may_be_empty ? "0" : "1") + " to " +
         number_text(option.maximum) + " characters";
}

}  // namespace helsekontakter::config

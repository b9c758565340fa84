#include "adapters/config/values.h"

#include "adapters/config/nearest.h"
#include "worker/domain/ensure.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace helsekontakter::config {
namespace {

constexpr std::string_view variable_prefix = "HELSEKONTAKTER_";

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (fault != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

bool in_range(const Option& option, double number) {
  return option.maximum == 0 || (number >= option.minimum && number <= option.maximum);
}

bool is_among(std::string_view choices, std::string_view text) {
  const auto parts = split_choices(choices);
  return std::find(parts.begin(), parts.end(), text) != parts.end();
}

bool all_scalars(const Value& value) {
  const auto is_text = [](const Value& item) {
    return item.kind == Value::Kind::scalar && !item.text.empty();
  };
  if (value.kind == Value::Kind::list) {
    return std::all_of(value.items.begin(), value.items.end(), is_text);
  }
  return value.kind == Value::Kind::map &&
         std::all_of(value.members.begin(), value.members.end(),
                     [](const auto& member) { return member.second.kind == Value::Kind::scalar; });
}

bool fits_text(const Option& option, const Value& value) {
  if (value.kind != Value::Kind::scalar) return false;
  if (value.text.empty()) return option.may_be_empty;
  const bool has_controls = std::any_of(value.text.begin(), value.text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return !has_controls &&
         (option.maximum == 0 || static_cast<double>(value.text.size()) <= option.maximum);
}

bool fits(const Option& option, const Value& value) {
  const bool is_scalar = value.kind == Value::Kind::scalar;
  const std::optional<double> number = is_scalar ? parse_number(value.text) : std::nullopt;
  switch (option.type) {
    case OptionType::boolean:
      return is_scalar && (value.text == "true" || value.text == "false");
    case OptionType::integer:
      return number && std::floor(*number) == *number && in_range(option, *number);
    case OptionType::number:
      return number && in_range(option, *number);
    case OptionType::choice:
      return is_scalar && is_among(option.choices, value.text);
    case OptionType::list:
      return value.kind == Value::Kind::list && all_scalars(value);
    case OptionType::map:
      return value.kind == Value::Kind::map && all_scalars(value);
    case OptionType::organizations:
      return value.kind == Value::Kind::map;
    case OptionType::rules:
      return value.kind == Value::Kind::list;
    case OptionType::text:
      return fits_text(option, value);
  }
  return false;
}

std::string shown(const Option& option, const Value& value) {
  if (option.secret || value.kind != Value::Kind::scalar) return {};
  if (names_file(option) && !looks_like_a_file_name(value.text)) return {};
  std::string text = value.text.substr(0, 100);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return scrub_national_ids(std::move(text));
}

/// Lists come as YAML or, shorter, with commas; every other form is YAML.
Value value_of_variable(const Option& option, const std::string& name, const std::string& text) {
  Value value;
  if (option.type == OptionType::list && !text.starts_with('[')) {
    value.kind = Value::Kind::list;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t comma = std::min(text.find(',', begin), text.size());
      std::string item = text.substr(begin, comma - begin);
      item.erase(0, item.find_first_not_of(' '));
      item.erase(item.find_last_not_of(' ') + 1);
      value.items.push_back({.kind = Value::Kind::scalar, .text = std::move(item)});
      begin = comma + 1;
    }
  } else if (option.type == OptionType::list || option.type == OptionType::map ||
             option.type == OptionType::organizations || option.type == OptionType::rules) {
    auto parsed = parse_yaml(text);
    if (parsed) value = std::move(*parsed);
  } else {
    value.kind = Value::Kind::scalar;
    value.text = text;
  }
  value.origin = name;
  return value;
}

bool is_emptied(const Option& option, const Value& value) {
  return value.kind == Value::Kind::scalar && value.text.empty() && !option.derived.empty();
}

const Option& known(std::string_view path) {
  const Option* option = find_option(path);
  ensure(option != nullptr);
  return *option;
}

}  // namespace

Values::Values(const Value& file, const Environment& environment,
               std::vector<ConfigurationError>& errors)
    : errors_(errors) {
  for (const Option& option : option_table()) {
    if (option.fallback.empty()) continue;
    auto parsed = parse_yaml(option.fallback);
    ensure(parsed.has_value() && (!option.available || fits(option, *parsed)));
    defaults_.emplace(option.path, std::move(*parsed));
  }
  read_file(file, "");
  read_variables(environment);
  check_all();
}

void Values::read_file(const Value& value, const std::string& prefix) {
  std::vector<std::string_view> seen;
  for (const auto& [name, below] : value.members) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      errors_.push_back({.key = scrub_national_ids(path),
                         .message = "is written twice; keep one of them",
                         .origin = below.origin});
      continue;
    }
    seen.push_back(name);
    read_member(path, below);
  }
}

void Values::read_member(const std::string& path, const Value& value) {
  if (const Option* option = find_option(path); option != nullptr) {
    mentioned_.push_back(path);
    if (value.kind == Value::Kind::null) {
      errors_.push_back({.key = path,
                         .message = "has no value; " + allowed_values(*option) + " is expected",
                         .origin = value.origin});
    } else if (!is_emptied(*option, value)) {
      said_.insert_or_assign(path, value);
    }
    return;
  }
  if (!is_section(path)) {
    errors_.push_back({.key = scrub_national_ids(path.substr(0, 200)),
                       .message = "is no known key",
                       .nearest = nearest_key(path),
                       .origin = value.origin});
    return;
  }
  mentioned_.push_back(path);
  if (value.kind == Value::Kind::map) {
    read_file(value, path);
  } else if (value.kind != Value::Kind::null) {
    errors_.push_back({.key = path,
                       .message = "is a section; keys are expected below it",
                       .origin = value.origin});
  }
}

void Values::read_variables(const Environment& environment) {
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(variable_prefix)) continue;
    std::string path;
    const std::string_view rest = std::string_view(name).substr(variable_prefix.size());
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const char c = rest[i];
      if (c == '_' && i + 1 < rest.size() && rest[i + 1] == '_') {
        path += '.';
        ++i;
      } else {
        path += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
    }
    read_variable(name, path, text);
  }
}

void Values::read_variable(const std::string& name, const std::string& path,
                           const std::string& text) {
  const Option* option = find_option(path);
  for (std::size_t dot = path.find('.'); option == nullptr && dot != std::string::npos;
       dot = path.find('.', dot + 1)) {
    const Option* above = find_option(std::string_view(path).substr(0, dot));
    if (above == nullptr) continue;
    errors_.push_back({.key = std::string(above->path),
                       .message = "is given as a whole: " + variable_of(above->path) + " as YAML",
                       .origin = scrub_national_ids(name)});
    return;
  }
  if (option == nullptr) {
    // Kubernetes sets variables such as HELSEKONTAKTER_SERVICE_HOST for a service of our name.
    if (name.find("__") == std::string::npos) return;
    const std::string nearest = nearest_key(path);
    errors_.push_back({.key = scrub_national_ids(name.substr(0, 200)),
                       .message = "is a variable of no known key",
                       .nearest = nearest.empty() ? nearest : variable_of(nearest)});
    return;
  }
  mentioned_.emplace_back(option->path);
  Value value = value_of_variable(*option, name, text);
  if (is_emptied(*option, value)) {
    said_.erase(std::string(option->path));
  } else {
    said_.insert_or_assign(std::string(option->path), std::move(value));
  }
}

void Values::check_all() {
  for (const Option& option : option_table()) {
    const auto found = said_.find(option.path);
    if (found == said_.end()) continue;
    if (!option.available) {
      errors_.push_back(error(option.path, "not in this release; leave it out"));
    } else if (!fits(option, found->second)) {
      errors_.push_back(error(option.path, allowed_values(option) + " is expected"));
    } else {
      continue;
    }
    said_.erase(found);
  }
}

bool Values::given(std::string_view path) const {
  return said_.find(path) != said_.end();
}

bool Values::mentions(std::string_view section) const {
  return std::any_of(mentioned_.begin(), mentioned_.end(), [&](const std::string& path) {
    return path == section || (path.starts_with(section) && path[section.size()] == '.');
  });
}

bool Values::sound(std::initializer_list<std::string_view> paths) const {
  return std::all_of(paths.begin(), paths.end(),
                     [&](std::string_view path) { return given(path) || !mentions(path); });
}

const Value& Values::value(std::string_view path) const {
  static const Value none;
  const auto found = said_.find(path);
  if (found != said_.end()) return found->second;
  const auto fallback = defaults_.find(path);
  return fallback == defaults_.end() ? none : fallback->second;
}

bool Values::boolean(std::string_view path) const {
  ensure(known(path).type == OptionType::boolean);
  return value(path).text == "true";
}

double Values::number(std::string_view path) const {
  const std::optional<double> number = parse_number(value(path).text);
  ensure(number.has_value());
  return *number;
}

std::size_t Values::size(std::string_view path) const {
  ensure(known(path).type == OptionType::integer);
  return static_cast<std::size_t>(number(path));
}

std::string Values::text(std::string_view path) const {
  const OptionType type = known(path).type;
  ensure(type == OptionType::text || type == OptionType::choice);
  return value(path).text;
}

std::vector<std::string> Values::list(std::string_view path) const {
  ensure(known(path).type == OptionType::list);
  std::vector<std::string> out;
  for (const Value& item : value(path).items) out.push_back(item.text);
  return out;
}

std::map<std::string, std::string> Values::map(std::string_view path) const {
  ensure(known(path).type == OptionType::map);
  std::map<std::string, std::string> out;
  for (const auto& [name, item] : value(path).members) out[name] = item.text;
  return out;
}

Milliseconds Values::duration(std::string_view path) const {
  double unit = 0;
  if (path.ends_with("_ms")) unit = 1;
  if (path.ends_with("_s")) unit = 1000;
  if (path.ends_with("_h")) unit = 3'600'000;
  if (path.ends_with("_d")) unit = 86'400'000;
  ensure(unit > 0);
  return Milliseconds(std::llround(number(path) * unit));
}

std::size_t Values::choice_index(std::string_view path) const {
  const Option& option = known(path);
  const auto parts = split_choices(option.choices);
  const auto found = std::find(parts.begin(), parts.end(), value(path).text);
  ensure(option.type == OptionType::choice && found != parts.end());
  return static_cast<std::size_t>(found - parts.begin());
}

ConfigurationError Values::error(std::string_view path, std::string message) const {
  ConfigurationError error{.key = std::string(path), .message = std::move(message)};
  if (const auto found = said_.find(path); found != said_.end()) {
    error.value = shown(known(path), found->second);
    error.origin = found->second.origin;
  }
  return error;
}

}  // namespace helsekontakter::config

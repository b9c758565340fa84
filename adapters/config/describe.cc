#include "adapters/config/describe.h"

#include "adapters/config/option.h"
#include "adapters/config/value.h"
#include "worker/domain/ensure.h"
#include "worker/fhir/bundle.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace helsekontakter::config {
namespace {

std::string_view name(OptionType type) {
  static constexpr std::array<std::string_view, 10> names{
      "boolean", "integer", "number", "text", "choice", "list", "map", "map", "list", "section"};
  return names.at(static_cast<std::size_t>(type));
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    parts.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return parts;
}

std::string default_of(const Option& option) {
  if (!option.available) return "not in this release";
  if (option.required) return option.alternative ? "required with it" : "required";
  if (!option.fallback.empty()) return std::string(option.fallback);
  return option.derived.empty() ? std::string("none") : "(" + std::string(option.derived) + ")";
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size()), ' ');
  return out + "  ";
}

std::string as_table() {
  std::size_t path_width = 0;
  std::size_t default_width = 0;
  for (const Option& option : option_table()) {
    path_width = std::max(path_width, option.path.size());
    default_width = std::max(default_width, std::min<std::size_t>(default_of(option).size(), 32));
  }
  std::string out = padded("key", path_width) + padded("type", 7) + padded("unit", 10) +
                    padded("default", default_width) + "meaning\n";
  for (const Option& option : option_table()) {
    out += padded(option.path, path_width) + padded(name(option.type), 7) +
           padded(option.unit, 10) + padded(default_of(option), default_width) +
           std::string(option.meaning);
    if (option.type == OptionType::choice || option.maximum > 0) {
      if (option.type != OptionType::text) out += " [" + allowed_values(option) + "]";
    }
    out += '\n';
  }
  out +=
      "\nAny key can be given as a variable, HELSEKONTAKTER_API__BASE_URL for api.base_url; "
      "lists there\nwith commas or as YAML, maps as YAML. A key ending in _file names a file.\n";
  return out;
}

/// Lines of at most 96 columns, each behind "# ".
std::string comment(const std::string& indent, std::string_view text) {
  std::string out;
  std::string line;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t space = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, space - begin);
    if (!line.empty() && indent.size() + line.size() + word.size() > 93) {
      out += indent + "# " + line + "\n";
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    begin = space + 1;
  }
  return out + indent + "# " + line + "\n";
}

/// What is chosen instead of Kafka stands as a comment: without its "# " it takes effect.
std::string indent_of(const Option& option, std::size_t depth) {
  return option.alternative ? "  # " + std::string(2 * depth - 2, ' ')
                            : std::string(2 * depth, ' ');
}

std::string as_yaml() {
  std::string out = comment("",
                            "Every option of helsekontakter with its default. Keys without one "
                            "stand as examples, or as comments where they may be left out.");
  std::vector<std::string_view> open;
  for (const Option& option : option_table()) {
    if (!option.available) continue;
    const std::vector<std::string_view> parts = parts_of(option.path);
    std::size_t shared = 0;
    while (shared < open.size() && shared + 1 < parts.size() && open[shared] == parts[shared]) {
      ++shared;
    }
    open.resize(shared);
    if (shared == 0) out += '\n';
    for (; open.size() + 1 < parts.size(); open.push_back(parts[open.size()])) {
      out += indent_of(option, open.size()) + std::string(parts[open.size()]) + ":\n";
    }
    const std::string indent = indent_of(option, open.size());
    std::string text = std::string(option.meaning) + ". Allowed: " + allowed_values(option);
    if (!option.derived.empty()) text += "; default: " + std::string(option.derived);
    out += comment(indent, text);
    const std::string_view value = option.fallback.empty() ? option.example : option.fallback;
    out += indent + (value.empty() ? "# " : "") + std::string(parts.back()) + ":" +
           (value.empty() ? "" : " ") + std::string(value) + "\n";
  }
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  fhir::append_json_string(out, text);
  return out;
}

std::string json_of(const Value& value, bool as_text) {
  std::string out;
  if (value.kind == Value::Kind::scalar) return as_text ? json_text(value.text) : value.text;
  const bool is_list = value.kind == Value::Kind::list;
  for (const Value& item : value.items) {
    out += (out.empty() ? "" : ",") + json_of(item, true);
  }
  for (const auto& [key, member] : value.members) {
    out += (out.empty() ? "" : ",") + json_text(key) + ":" + json_of(member, true);
  }
  return is_list ? "[" + out + "]" : "{" + out + "}";
}

std::string number_limits(const Option& option) {
  if (option.maximum == 0) return {};
  const auto whole = [](double number) {
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  };
  return ",\"minimum\":" + whole(option.minimum) + ",\"maximum\":" + whole(option.maximum);
}

constexpr std::string_view texts = R"({"type":["string","number","boolean"]})";

std::string schema_type(const Option& option) {
  switch (option.type) {
    case OptionType::boolean:
      return R"("type":"boolean")";
    case OptionType::integer:
      return R"("type":"integer")" + number_limits(option);
    case OptionType::number:
      return R"("type":"number")" + number_limits(option);
    case OptionType::choice: {
      std::string list;
      for (const std::string_view choice : split_choices(option.choices)) {
        list += (list.empty() ? "" : ",") + json_text(choice);
      }
      return "\"enum\":[" + list + "]";
    }
    case OptionType::list:
      return R"("type":"array","items":)" + std::string(texts);
    case OptionType::map:
      return R"("type":"object","additionalProperties":)" + std::string(texts);
    case OptionType::organizations:
      return R"("type":"object","minProperties":1,"propertyNames":{"pattern":"^[0-9 ]+$"},)"
             R"("additionalProperties":{"type":["object","null"],"additionalProperties":false,)"
             R"("properties":{"client_id":{"type":"string"},"jwk_file":{"type":"string"},)"
             R"("parent":{"type":["string","integer"]},"paused":{"type":"boolean"}}})";
    case OptionType::rules:
      return R"("type":"array","items":{"type":"object","additionalProperties":false,)"
             R"("required":["verdict"],"properties":{"lane":{"enum":["offerings","members"]},)"
             R"("status":{"type":["string","integer"]},"code":{"type":["string","integer"]},)"
             R"("text":{"type":"string"},"reason":{"type":"string"},)"
             R"("verdict":{"enum":["accepted","inactive","rejected","retry","hold","halve"]}}})";
    case OptionType::text:
      break;
  }
  return R"("type":["string","number"])";
}

std::string schema_of(const Option& option) {
  std::string text = std::string(option.meaning);
  if (!option.unit.empty()) text += " (" + std::string(option.unit) + ")";
  std::string out = "{" + schema_type(option) + ",\"description\":" + json_text(text);
  if (!option.fallback.empty()) {
    const auto value = parse_yaml(option.fallback);
    ensure(value.has_value());
    const bool as_text = option.type == OptionType::text || option.type == OptionType::choice;
    out += ",\"default\":" + json_of(*value, as_text);
  }
  return out + "}";
}

/// The object of everything below `prefix`; the table has the options of a section side by side.
std::string schema_of_section(std::string_view prefix) {
  std::string properties;
  std::vector<std::string_view> done;
  for (const Option& option : option_table()) {
    if (!option.available || !option.path.starts_with(prefix)) continue;
    const std::string_view rest = option.path.substr(prefix.size());
    const std::string_view part = rest.substr(0, rest.find('.'));
    if (std::find(done.begin(), done.end(), part) != done.end()) continue;
    done.push_back(part);
    const std::string below = std::string(prefix) + std::string(part) + ".";
    properties += (properties.empty() ? "" : ",\n") + json_text(part) + ":" +
                  (part.size() == rest.size() ? schema_of(option) : schema_of_section(below));
  }
  const std::string_view type = prefix.empty() ? "\"object\"" : "[\"object\",\"null\"]";
  return "{\"type\":" + std::string(type) + ",\"additionalProperties\":false,\"properties\":{\n" +
         properties + "}}";
}

std::string as_json_schema() {
  std::string schema = schema_of_section("");
  schema.erase(0, 1);
  return "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
         "\"title\":\"Configuration of helsekontakter\",\n" +
         schema + "\n";
}

}  // namespace

std::optional<OptionsFormat> options_format(std::string_view name) {
  if (name == "table") return OptionsFormat::table;
  if (name == "yaml") return OptionsFormat::yaml;
  if (name == "json-schema") return OptionsFormat::json_schema;
  return std::nullopt;
}

std::string describe_options(OptionsFormat format) {
  switch (format) {
    case OptionsFormat::table:
      return as_table();
    case OptionsFormat::yaml:
      return as_yaml();
    case OptionsFormat::json_schema:
      break;
  }
  return as_json_schema();
}

}  // namespace helsekontakter::config

#include "adapters/json/answer_shape.h"

#include <algorithm>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t bytes_max = 512;
constexpr std::size_t members_max = 12;
constexpr std::size_t shape_depth_max = 6;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string_view shown_name(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= 40 &&
                     std::all_of(name.begin(), name.end(), is_name_character);
  return plain ? name : "*";
}

void append_shape(std::string& out, const dom::element& value, std::size_t depth);

void append_object(std::string& out, const dom::object& object, std::size_t depth) {
  out += '{';
  std::size_t count = 0;
  bool star_shown = false;
  for (const dom::key_value_pair member : object) {
    const std::string_view name = shown_name(member.key);
    if (name == "*" && star_shown) continue;  // a map by identifier: one of its members will do
    star_shown = star_shown || name == "*";
    if (count > 0) out += ',';
    if (count++ == members_max || out.size() > bytes_max) {
      out += "...";
      break;
    }
    out.append(name).append(":");
    append_shape(out, member.value, depth + 1);
  }
  out += '}';
}

void append_shape(std::string& out, const dom::element& value, std::size_t depth) {
  dom::object object;
  dom::array array;
  if (value.get(object) == simdjson::SUCCESS) {
    if (depth < shape_depth_max) return append_object(out, object, depth);
    out += "object";
  } else if (value.get(array) == simdjson::SUCCESS) {
    out.append("[").append(std::to_string(array.size()));
    if (array.size() > 0 && depth < shape_depth_max) {
      out += ' ';
      append_shape(out, *array.begin(), depth + 1);
    }
    out += ']';
  } else if (value.is_string()) {
    out += "string";
  } else if (value.is_bool()) {
    out += "boolean";
  } else {
    out += value.is_null() ? "null" : "number";
  }
}

}  // namespace

std::string shape_of(const dom::element& value) {
  std::string out;
  append_shape(out, value, 0);
  if (out.size() > bytes_max) out.resize(bytes_max);  // names and types are ASCII
  return out;
}

std::string shape_of_text(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "empty";
  const std::string_view kind = body[first] == '<' ? "XML or HTML" : "not JSON";
  return std::string(kind) + ", " + std::to_string(body.size()) + " bytes";
}

}  // namespace helsekontakter::json

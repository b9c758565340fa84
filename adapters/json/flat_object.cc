#include "adapters/json/flat_object.h"

#include "adapters/json/json_text.h"

#include <set>

namespace helsekontakter::json {

tl::expected<std::vector<std::pair<std::string, std::string>>, std::string> read_flat_object(
    std::string_view text) {
  JsonText json;
  simdjson::dom::object object;
  if (json.parse(text).get(object) != simdjson::SUCCESS) {
    return tl::unexpected<std::string>("is not one JSON object");
  }
  std::vector<std::pair<std::string, std::string>> fields;
  std::set<std::string_view> names;
  for (const auto& [name, value] : object) {
    if (!names.insert(name).second) return tl::unexpected<std::string>("has a name twice");
    std::string_view words;
    bool truth = false;
    std::int64_t number = 0;
    if (value.get(words) == simdjson::SUCCESS) {
      fields.emplace_back(name, words);
    } else if (value.get(truth) == simdjson::SUCCESS) {
      fields.emplace_back(name, truth ? "true" : "false");
    } else if (value.get(number) == simdjson::SUCCESS) {
      fields.emplace_back(name, std::to_string(number));
    } else if (!value.is_null()) {
      return tl::unexpected<std::string>(
          "has a value that is neither text, whole number, true, false nor null");
    }
  }
  return fields;
}

bool is_valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace helsekontakter::json

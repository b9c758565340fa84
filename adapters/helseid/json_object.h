#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace helsekontakter::helseid {

/// Writes one JSON object, members in the order of the calls and without white space.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value);
  JsonObject& number(std::string_view name, std::int64_t value);
  /// `json` is a JSON value already.
  JsonObject& raw(std::string_view name, std::string_view json);
  [[nodiscard]] std::string str() const { return out_ + "}"; }

 private:
  void begin(std::string_view name);
  std::string out_ = "{";
};

}  // namespace helsekontakter::helseid

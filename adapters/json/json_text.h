#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace helsekontakter::json {

/// Parses and fully validates one JSON text at a time. What it returns lives until the next call.
/// The buffers are kept, so they grow to the largest text met (about ten times its size). One per
/// thread.
class JsonText {
 public:
  /// Deeper nesting is an error of the text (simdjson::DEPTH_ERROR).
  static constexpr std::size_t depth_max = 128;

  /// A number that no machine type holds (1e400, 25 digits) is valid JSON: it reads as the double
  /// 0.5, which no field of ours takes. Throws std::bad_alloc only.
  [[nodiscard]] simdjson::simdjson_result<simdjson::dom::element> parse(std::string_view text);

 private:
  [[nodiscard]] simdjson::simdjson_result<simdjson::dom::element> parse_padded();

  simdjson::dom::parser parser_;
  std::string padded_;
};

}  // namespace helsekontakter::json

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::config {

/// What a YAML text says, free of the library that read it. Members keep their order.
struct Value {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text = {};  ///< of a scalar
  std::vector<Value> items = {};
  std::vector<std::pair<std::string, Value>> members = {};
  std::string origin = {};  ///< "line 12", or the name of a variable
};

/// Why a text is no YAML that we read. Never quotes the text.
struct YamlFault {
  std::string message;
};

/// Reads one YAML document. Refuses what is too large (1 MiB, or 100 000 nodes after aliases are
/// resolved), a second document, keys that are no scalars and tags of other types. Never throws.
[[nodiscard]] tl::expected<Value, YamlFault> parse_yaml(std::string_view text);

}  // namespace helsekontakter::config

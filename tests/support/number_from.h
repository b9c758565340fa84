#pragma once

#include <cstdint>
#include <cstdlib>

namespace helsekontakter::test {

/// The number in an environment variable; `otherwise` where it is not set.
[[nodiscard]] inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace helsekontakter::test

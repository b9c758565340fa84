#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helsekontakter::simulator {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// A request as the services see it: whole, with the address the client believes it called.
struct HttpRequest {
  std::string method;
  std::string target;
  std::string origin;  ///< "https://localhost:8443": scheme of the listener and the Host header
  HeaderList headers;
  std::string body;

  /// The only header of that name (case ignored); nothing when it is absent or repeated.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const auto& [key, value] : headers) {
      if (!std::equal(key.begin(), key.end(), name.begin(), name.end(),
                      [](unsigned char a, unsigned char b) {
                        return std::tolower(a) == std::tolower(b);
                      })) {
        continue;
      }
      if (found) return std::nullopt;
      found = value;
    }
    return found;
  }
};

/// What is answered, or that the connection is cut instead.
struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  HeaderList headers;
  bool cut = false;            ///< the connection is closed without an answer
  std::size_t delay_ms = 0;    ///< before the first byte
  std::size_t trickle_ms = 0;  ///< between the first and the second half of the body
};

}  // namespace helsekontakter::simulator

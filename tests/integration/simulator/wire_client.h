#pragma once

#include <optional>
#include <string>

namespace helsekontakter::simulator::testing {

struct WireAnswer {
  int status = 0;
  std::string head;
  std::string body;
};

/// One request over a new connection to 127.0.0.1, over TLS when `ca_file` is named. Blocks, at
/// most ten seconds for each read or write. Nothing when the handshake fails or the connection
/// ends before the whole answer.
[[nodiscard]] std::optional<WireAnswer> exchange(const std::string& url, const std::string& ca_file,
                                                 const std::string& method, const std::string& path,
                                                 const std::string& headers,
                                                 const std::string& body);

}  // namespace helsekontakter::simulator::testing

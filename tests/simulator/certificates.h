#pragma once

#include <string>
#include <vector>

namespace helsekontakter::simulator {

/// PEM texts of a certificate authority of our own and of a server's certificates under it. Both
/// server certificates have the same key; the CA's key is thrown away.
struct Certificates {
  std::string authority;
  std::string server;          ///< valid for ten years
  std::string expired_server;  ///< ended yesterday
  std::string server_key;
};

/// For these host names and IP addresses. Throws std::runtime_error when OpenSSL fails.
[[nodiscard]] Certificates make_certificates(const std::vector<std::string>& host_names);

}  // namespace helsekontakter::simulator

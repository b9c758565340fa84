#pragma once

#include "worker/domain/result.h"

#include <string>
#include <vector>

namespace helsekontakter::simulator {

/// What `helsekontakter-simulator keys` makes.
struct KeyWishes {
  std::string directory;
  std::string alg = "PS256";  ///< of the client's key: RS, PS or ES with 256, 384 or 512
  std::string tenancy = "multi";
  std::string organization = "948554062";  ///< single-tenant: bound to the client
  std::string client_id = "7f1c2f5e-0000-4000-8000-3d6f0a4b9c11";
  std::vector<std::string> host_names{"localhost", "127.0.0.1"};
};

/// Writes into the directory: ca.pem, server.pem, server-expired.pem and server-key.pem (EC P-256),
/// client.jwk.json (private, for the worker, mode 0600), client-public.jwk.json, and simulator.yaml
/// that fits them. Existing files are replaced.
[[nodiscard]] Result<void> make_keys(const KeyWishes& wishes);

/// A private JWK and its public half.
struct ClientKey {
  std::string private_jwk;
  std::string public_jwk;
};
[[nodiscard]] Result<ClientKey> make_client_key(const std::string& alg);

}  // namespace helsekontakter::simulator

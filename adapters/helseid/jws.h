#pragma once

#include "adapters/helseid/jwk.h"
#include "worker/domain/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::helseid {

/// RFC 7518 section 3.1, what HelseID takes (contract/helseid 3).
enum class Algorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512
};

[[nodiscard]] std::string_view name(Algorithm algorithm);
[[nodiscard]] std::optional<Algorithm> parse_algorithm(std::string_view name);

/// A key and the one algorithm it signs with.
struct SigningKey {
  PrivateJwk jwk;
  Algorithm algorithm;
};

/// Takes the algorithm from the setting (auth.alg), else from the JWK, else the one that FAPI 2.0
/// prefers for the key. An algorithm that the key cannot do is an error that names both.
[[nodiscard]] Result<SigningKey> choose_algorithm(PrivateJwk jwk, std::string_view setting);

/// The raw JWS signature: for ES* r and s side by side, for PS* a salt as long as the digest.
[[nodiscard]] Result<std::vector<std::uint8_t>> sign(const SigningKey& key, std::string_view input);

/// RFC 7515 compact serialisation. `header` and `payload` are JSON.
[[nodiscard]] Result<std::string> compact_jws(const SigningKey& key, std::string_view header,
                                              std::string_view payload);

}  // namespace helsekontakter::helseid

#pragma once

#include "worker/domain/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace helsekontakter::helseid {

enum class KeyType : std::uint8_t { rsa, p256, p384, p521 };

/// A private key from a JWK (RFC 7517, 7518 section 6), checked. Copies share the key; const calls
/// from any thread. Nothing of it prints but kid, alg and the public part.
class PrivateJwk {
 public:
  /// Takes RSA keys of 2048 bits or more with n, e, d, p, q, dp, dq, qi, and EC keys on P-256,
  /// P-384 and P-521. The parts must belong together. A message never quotes a member's value.
  [[nodiscard]] static Result<PrivateJwk> parse(std::string_view json);

  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] const std::string& alg() const { return alg_; }  ///< empty: none is given
  [[nodiscard]] EVP_PKEY* handle() const { return key_.get(); }

  /// The public members that RFC 7638 hashes, in its order: the `jwk` of a DPoP proof.
  [[nodiscard]] const std::string& public_json() const { return public_json_; }
  /// RFC 7638, SHA-256, base64url.
  [[nodiscard]] std::string thumbprint() const;

 private:
  PrivateJwk() = default;

  KeyType type_ = KeyType::rsa;
  std::string kid_;
  std::string alg_;
  std::string public_json_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// SHA-256 of the text, base64url: thumbprints and `ath`.
[[nodiscard]] std::string sha256_base64url(std::string_view text);

}  // namespace helsekontakter::helseid

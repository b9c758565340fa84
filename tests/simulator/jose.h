#pragma once

#include "tests/simulator/encoding.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/types.h>
#include <simdjson.h>
#include <tl/expected.hpp>

namespace helsekontakter::simulator {

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const;
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;

/// A public JSON Web Key (RFC 7517): RSA, or EC on P-256, P-384 and P-521.
struct Jwk {
  std::string kid;
  std::string alg;         ///< empty: any that fits the key
  std::string thumbprint;  ///< RFC 7638, SHA-256, base64url
  bool has_private_members = false;
  std::shared_ptr<EVP_PKEY> key;
};

/// What is wrong with a key or token: a short name for the statistics and a sentence for the log.
struct Flaw {
  std::string reason;
  std::string text;
};

template <class T>
using Checked = tl::expected<T, Flaw>;

[[nodiscard]] inline tl::unexpected<Flaw> flaw(std::string reason, std::string text) {
  return tl::unexpected<Flaw>(Flaw{std::move(reason), std::move(text)});
}

[[nodiscard]] Checked<Jwk> read_jwk(simdjson::dom::element json);
[[nodiscard]] Checked<Jwk> read_jwk(std::string_view json);

/// A compact JWS taken apart. Header and payload are JSON objects; nothing is verified yet.
class Jws {
 public:
  /// Flaws: "malformed".
  [[nodiscard]] static Checked<Jws> parse(std::string_view compact);

  [[nodiscard]] simdjson::dom::object header() const { return header_; }
  [[nodiscard]] simdjson::dom::object payload() const { return payload_; }
  [[nodiscard]] std::string header_text(std::string_view name) const;

  /// Whether the signature is that of the key under the header's alg (RS, PS, ES 256/384/512).
  [[nodiscard]] bool is_signed_by(const Jwk& jwk) const;

 private:
  std::unique_ptr<simdjson::dom::parser> header_parser_;
  std::unique_ptr<simdjson::dom::parser> payload_parser_;
  simdjson::dom::object header_;
  simdjson::dom::object payload_;
  std::string signing_input_;
  Octets signature_;
};

/// A text or integer member of an object; nothing when absent or of another type.
[[nodiscard]] std::optional<std::string_view> text_of(simdjson::dom::object object,
                                                      std::string_view name);
[[nodiscard]] std::optional<std::int64_t> integer_of(simdjson::dom::object object,
                                                     std::string_view name);

/// The simulator's own ES256 key: signs tokens, and is published at jwks_uri.
class TokenSigner {
 public:
  TokenSigner();
  [[nodiscard]] std::string sign(std::string_view header_json, std::string_view payload_json) const;
  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] const std::string& public_jwk() const { return public_jwk_; }

 private:
  Key key_;
  std::string kid_;
  std::string public_jwk_;
};

/// Base64url of one number of a key (OSSL_PKEY_PARAM_*), padded to `width` bytes (0: as short as
/// it is).
[[nodiscard]] std::string key_number(const EVP_PKEY& key, const char* parameter, std::size_t width);

/// Signs as a client does: for the tests, and the tokens. `alg` as in a JWS header.
[[nodiscard]] std::string sign_compact(EVP_PKEY& key, std::string_view alg,
                                       std::string_view header_json, std::string_view payload_json);

}  // namespace helsekontakter::simulator

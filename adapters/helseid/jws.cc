#include "adapters/helseid/jws.h"

#include "adapters/helseid/base64url.h"

#include <array>
#include <utility>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

namespace helsekontakter::helseid {
namespace {

enum class Family : std::uint8_t { pkcs1, pss, ecdsa };

struct Row {
  Algorithm algorithm;
  std::string_view name;
  Family family;
  const EVP_MD* (*digest)();
  KeyType key;
  std::size_t field_bytes;  ///< ES*: length of r and of s
};

constexpr std::array<Row, 9> rows{{
    {Algorithm::rs256, "RS256", Family::pkcs1, EVP_sha256, KeyType::rsa, 0},
    {Algorithm::rs384, "RS384", Family::pkcs1, EVP_sha384, KeyType::rsa, 0},
    {Algorithm::rs512, "RS512", Family::pkcs1, EVP_sha512, KeyType::rsa, 0},
    {Algorithm::ps256, "PS256", Family::pss, EVP_sha256, KeyType::rsa, 0},
    {Algorithm::ps384, "PS384", Family::pss, EVP_sha384, KeyType::rsa, 0},
    {Algorithm::ps512, "PS512", Family::pss, EVP_sha512, KeyType::rsa, 0},
    {Algorithm::es256, "ES256", Family::ecdsa, EVP_sha256, KeyType::p256, 32},
    {Algorithm::es384, "ES384", Family::ecdsa, EVP_sha384, KeyType::p384, 48},
    {Algorithm::es512, "ES512", Family::ecdsa, EVP_sha512, KeyType::p521, 66},
}};

const Row& row_of(Algorithm algorithm) {
  return rows[static_cast<std::size_t>(algorithm)];
}

std::string_view describe(KeyType type) {
  static constexpr std::array<std::string_view, 4> names{
      "an RSA key", "an EC key on P-256", "an EC key on P-384", "an EC key on P-521"};
  return names[static_cast<std::size_t>(type)];
}

/// What FAPI 2.0 prefers: contract/helseid 3.
Algorithm preferred(KeyType type) {
  switch (type) {
    case KeyType::p256:
      return Algorithm::es256;
    case KeyType::p384:
      return Algorithm::es384;
    case KeyType::p521:
      return Algorithm::es512;
    case KeyType::rsa:
      break;
  }
  return Algorithm::ps256;
}

[[nodiscard]] tl::unexpected<Error> signing_failed(const Row& row) {
  ERR_clear_error();
  return fail(Remedy::stop, "OpenSSL refuses to sign with " + std::string(row.name));
}

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Signature = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;

bool begin(EVP_MD_CTX* context, const Row& row, EVP_PKEY* key) {
  EVP_PKEY_CTX* options = nullptr;  // belongs to the digest's context
  if (EVP_DigestSignInit(context, &options, row.digest(), nullptr, key) <= 0) return false;
  if (row.family != Family::pss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/// OpenSSL gives ECDSA signatures as DER; JWS wants r and s, each as long as the field.
Result<std::vector<std::uint8_t>> raw_from_der(const Row& row,
                                               const std::vector<std::uint8_t>& der) {
  const std::uint8_t* at = der.data();
  const Signature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  if (!pair) return signing_failed(row);
  const int length = static_cast<int>(row.field_bytes);
  std::vector<std::uint8_t> raw(2 * row.field_bytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), length) != length ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + length, length) != length) {
    return signing_failed(row);
  }
  return raw;
}

}  // namespace

std::string_view name(Algorithm algorithm) {
  return row_of(algorithm).name;
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  for (const Row& row : rows) {
    if (row.name == name) return row.algorithm;
  }
  return std::nullopt;
}

Result<SigningKey> choose_algorithm(PrivateJwk jwk, std::string_view setting) {
  const std::string wanted(setting.empty() ? std::string_view(jwk.alg()) : setting);
  if (wanted.empty()) {
    const Algorithm best = preferred(jwk.type());
    return SigningKey{std::move(jwk), best};
  }
  const std::string from = setting.empty() ? "the JWK's \"alg\"" : "auth.alg";
  const auto algorithm = parse_algorithm(wanted);
  if (!algorithm) {
    return fail(Remedy::stop, from +
                                  " is none of RS256, RS384, RS512, PS256, PS384, PS512, "
                                  "ES256, ES384 and ES512");
  }
  if (row_of(*algorithm).key != jwk.type()) {
    return fail(Remedy::stop, from + " is " + wanted + ", but the JWK is " +
                                  std::string(describe(jwk.type())) + ", which cannot do that");
  }
  return SigningKey{std::move(jwk), *algorithm};
}

Result<std::vector<std::uint8_t>> sign(const SigningKey& key, std::string_view input) {
  const Row& row = row_of(key.algorithm);
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || !begin(context.get(), row, key.jwk.handle())) return signing_failed(row);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(input.data());
  std::size_t length = 0;
  if (EVP_DigestSign(context.get(), nullptr, &length, bytes, input.size()) <= 0) {
    return signing_failed(row);
  }
  std::vector<std::uint8_t> signature(length);
  if (EVP_DigestSign(context.get(), signature.data(), &length, bytes, input.size()) <= 0) {
    return signing_failed(row);
  }
  signature.resize(length);
  if (row.family == Family::ecdsa) return raw_from_der(row, signature);
  return signature;
}

Result<std::string> compact_jws(const SigningKey& key, std::string_view header,
                                std::string_view payload) {
  std::string out = base64url(header) + "." + base64url(payload);
  const auto signature = sign(key, out);
  if (!signature) return tl::unexpected(signature.error());
  return out + "." + base64url(*signature);
}

}  // namespace helsekontakter::helseid

#include "adapters/helseid/jwk.h"

#include "adapters/helseid/base64url.h"
#include "adapters/helseid/json_object.h"
#include "adapters/helseid/json_text_of.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <simdjson.h>

namespace helsekontakter::helseid {
namespace {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* thing) const {
    free(thing);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;

/// Bytes of a private member; wiped when they go.
struct Bytes {
  std::vector<std::uint8_t> bytes;
  explicit Bytes(std::vector<std::uint8_t> from) : bytes(std::move(from)) {}
  Bytes(Bytes&&) = default;
  Bytes& operator=(Bytes&&) = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

struct Curve {
  std::string_view name;  ///< crv
  const char* group;      ///< OpenSSL's name
  KeyType type;
  std::size_t field_bytes;
};
constexpr std::array<Curve, 3> curves{{{"P-256", "P-256", KeyType::p256, 32},
                                       {"P-384", "P-384", KeyType::p384, 48},
                                       {"P-521", "P-521", KeyType::p521, 66}}};

[[nodiscard]] tl::unexpected<Error> refuse(const std::string& why) {
  // OpenSSL keeps a queue of errors per thread; what is told here must not be told again later.
  ERR_clear_error();
  return fail(Remedy::stop, "the JWK " + why);
}

Result<Bytes> bytes_of(const simdjson::dom::object& jwk, std::string_view name) {
  const auto value = text_of(jwk, name);
  if (!value) return refuse("lacks \"" + std::string(name) + "\"");
  auto bytes = from_base64url(*value);
  if (!bytes || bytes->empty())
    return refuse("has a bad base64url value in \"" + std::string(name) + "\"");
  return Bytes(std::move(*bytes));
}

BigNumber number_of(const Bytes& from) {
  return BigNumber(BN_bin2bn(from.bytes.data(), static_cast<int>(from.bytes.size()), nullptr));
}

/// Builds the key from its parameters and checks that they belong together.
Result<std::shared_ptr<EVP_PKEY>> import(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) <= 0) {
    return refuse("cannot be imported; its values are not a key");
  }
  std::shared_ptr<EVP_PKEY> key(made, EVP_PKEY_free);
  const Context check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!check || EVP_PKEY_check(check.get()) <= 0) {
    return refuse("holds parts that do not belong together; is it a whole private key?");
  }
  return key;
}

struct Imported {
  KeyType type;
  std::string public_json;
  std::shared_ptr<EVP_PKEY> key;
};

Result<Imported> import_rsa(const simdjson::dom::object& jwk) {
  static constexpr std::array<std::pair<const char*, const char*>, 8> members{{
      {"n", OSSL_PKEY_PARAM_RSA_N},
      {"e", OSSL_PKEY_PARAM_RSA_E},
      {"d", OSSL_PKEY_PARAM_RSA_D},
      {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
      {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
      {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
      {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
      {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
  }};
  const Builder builder(OSSL_PARAM_BLD_new());
  std::vector<BigNumber> numbers;  // the builder only points at them
  for (const auto& [member, parameter] : members) {
    auto bytes = bytes_of(jwk, member);
    if (!bytes) return tl::unexpected(std::move(bytes.error()));
    numbers.push_back(number_of(*bytes));
    if (!builder || !OSSL_PARAM_BLD_push_BN(builder.get(), parameter, numbers.back().get())) {
      return refuse("cannot be imported");
    }
  }
  auto key = import("RSA", builder.get());
  if (!key) return tl::unexpected(std::move(key.error()));
  if (EVP_PKEY_get_bits(key->get()) < 2048) return refuse("is an RSA key of less than 2048 bits");
  return Imported{KeyType::rsa,
                  JsonObject()
                      .text("e", *text_of(jwk, "e"))
                      .text("kty", "RSA")
                      .text("n", *text_of(jwk, "n"))
                      .str(),
                  std::move(*key)};
}

/// Left padded to the size of the field; some tools drop leading zeros.
Result<Bytes> coordinate_of(const simdjson::dom::object& jwk, std::string_view name,
                            std::size_t field_bytes) {
  auto value = bytes_of(jwk, name);
  if (!value) return value;
  if (value->bytes.size() > field_bytes) {
    return refuse("has a \"" + std::string(name) + "\" that is too long for its curve");
  }
  value->bytes.insert(value->bytes.begin(), field_bytes - value->bytes.size(), std::uint8_t{0});
  return value;
}

Result<Imported> import_ec(const simdjson::dom::object& jwk) {
  const auto name = text_of(jwk, "crv");
  const Curve* curve = nullptr;
  for (const Curve& known : curves) {
    if (name == known.name) curve = &known;
  }
  if (curve == nullptr) return refuse("needs \"crv\" P-256, P-384 or P-521");
  const auto x = coordinate_of(jwk, "x", curve->field_bytes);
  if (!x) return tl::unexpected(x.error());
  const auto y = coordinate_of(jwk, "y", curve->field_bytes);
  if (!y) return tl::unexpected(y.error());
  const auto d = coordinate_of(jwk, "d", curve->field_bytes);
  if (!d) return tl::unexpected(d.error());
  std::vector<std::uint8_t> point{0x04};  // uncompressed: SEC 1, 2.3.3
  point.insert(point.end(), x->bytes.begin(), x->bytes.end());
  point.insert(point.end(), y->bytes.begin(), y->bytes.end());
  const BigNumber secret = number_of(*d);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      !OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group,
                                       0) ||
      !OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size()) ||
      !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get())) {
    return refuse("cannot be imported");
  }
  auto key = import("EC", builder.get());
  if (!key) return tl::unexpected(std::move(key.error()));
  return Imported{curve->type,
                  JsonObject()
                      .text("crv", curve->name)
                      .text("kty", "EC")
                      .text("x", base64url(x->bytes))
                      .text("y", base64url(y->bytes))
                      .str(),
                  std::move(*key)};
}

/// `use` and `key_ops` say what the key is for; both may be left out (RFC 7517 4.2, 4.3).
Result<void> check_purpose(const simdjson::dom::object& jwk) {
  if (const auto use = text_of(jwk, "use"); use && *use != "sig") {
    return refuse("is not for signatures: its \"use\" is not \"sig\"");
  }
  simdjson::dom::array operations;
  if (jwk["key_ops"].get(operations) != simdjson::SUCCESS) return {};
  for (const simdjson::dom::element operation : operations) {
    std::string_view name;
    if (operation.get(name) == simdjson::SUCCESS && name == "sign") return {};
  }
  return refuse("is not for signing: its \"key_ops\" lacks \"sign\"");
}

Result<Imported> import_any(const simdjson::dom::object& jwk) {
  if (jwk["keys"].error() == simdjson::SUCCESS) {
    return refuse("is a set of keys; give the one key itself");
  }
  const auto kty = text_of(jwk, "kty");
  if (!kty) return refuse("lacks \"kty\"");
  if (*kty != "RSA" && *kty != "EC") return refuse("needs \"kty\" RSA or EC");
  if (!text_of(jwk, "d")) return refuse("is a public key; the private one with \"d\" is needed");
  if (auto purpose = check_purpose(jwk); !purpose) return tl::unexpected(purpose.error());
  return *kty == "RSA" ? import_rsa(jwk) : import_ec(jwk);
}

}  // namespace

Result<PrivateJwk> PrivateJwk::parse(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(json)).get(object) != simdjson::SUCCESS) {
    return refuse("is not a JSON object; PEM and PKCS #12 must be converted first");
  }
  auto imported = import_any(object);
  if (!imported) return tl::unexpected(std::move(imported.error()));
  PrivateJwk jwk;
  jwk.type_ = imported->type;
  jwk.kid_ = text_of(object, "kid").value_or("");
  jwk.alg_ = text_of(object, "alg").value_or("");
  jwk.public_json_ = std::move(imported->public_json);
  jwk.key_ = std::move(imported->key);
  return jwk;
}

std::string PrivateJwk::thumbprint() const {
  return sha256_base64url(public_json_);
}

std::string sha256_base64url(std::string_view text) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digest.data());
  return base64url(digest);
}

}  // namespace helsekontakter::helseid

#include "tests/simulator/jose.h"

#include <array>
#include <stdexcept>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

namespace helsekontakter::simulator {
namespace {

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* pointer) const { release(pointer); }
};
using Number = std::unique_ptr<BIGNUM, Release<BIGNUM, BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM, OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX, EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG, ECDSA_SIG_free>>;

struct Curve {
  std::string_view name;
  const char* group;
  std::size_t width;  ///< bytes of a coordinate
  std::string_view alg;
};
constexpr std::array<Curve, 3> curves{{{"P-256", "prime256v1", 32, "ES256"},
                                       {"P-384", "secp384r1", 48, "ES384"},
                                       {"P-521", "secp521r1", 66, "ES512"}}};

Number number(std::string_view octets) {
  return Number(BN_bin2bn(bytes(octets), static_cast<int>(octets.size()), nullptr));
}

std::shared_ptr<EVP_PKEY> import(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> import_rsa(std::string_view n, std::string_view e) {
  const Builder builder(OSSL_PARAM_BLD_new());
  const Number modulus = number(n);
  const Number exponent = number(e);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return import("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> import_ec(const Curve& curve, std::string_view x, std::string_view y) {
  const Builder builder(OSSL_PARAM_BLD_new());
  const Octets point = "\x04" + Octets(x) + Octets(y);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return import("EC", builder.get());
}

const Curve* curve_named(std::string_view name) {
  for (const Curve& curve : curves) {
    if (curve.name == name) return &curve;
  }
  return nullptr;
}

Checked<Jwk> read_rsa(simdjson::dom::object object, Jwk jwk) {
  const auto n = text_of(object, "n");
  const auto e = text_of(object, "e");
  const auto modulus = n ? from_base64url(*n) : std::nullopt;
  const auto exponent = e ? from_base64url(*e) : std::nullopt;
  if (!modulus || !exponent) return flaw("jwk", "an RSA key needs n and e in base64url");
  if (modulus->size() < 256) return flaw("jwk", "an RSA key needs at least 2048 bits");
  jwk.thumbprint = base64url(sha256("{\"e\":\"" + std::string(*e) + "\",\"kty\":\"RSA\",\"n\":\"" +
                                    std::string(*n) + "\"}"));
  jwk.key = import_rsa(*modulus, *exponent);
  if (!jwk.key) return flaw("jwk", "the RSA key is not accepted by OpenSSL");
  return jwk;
}

Checked<Jwk> read_ec(simdjson::dom::object object, Jwk jwk) {
  const Curve* curve = curve_named(text_of(object, "crv").value_or(""));
  const auto x = text_of(object, "x");
  const auto y = text_of(object, "y");
  const auto first = x ? from_base64url(*x) : std::nullopt;
  const auto second = y ? from_base64url(*y) : std::nullopt;
  if (curve == nullptr || !first || !second || first->size() != curve->width ||
      second->size() != curve->width) {
    return flaw("jwk", "an EC key needs crv (P-256, P-384, P-521) and x, y of full width");
  }
  jwk.thumbprint =
      base64url(sha256("{\"crv\":\"" + std::string(curve->name) + "\",\"kty\":\"EC\",\"x\":\"" +
                       std::string(*x) + "\",\"y\":\"" + std::string(*y) + "\"}"));
  jwk.key = import_ec(*curve, *first, *second);
  if (!jwk.key) return flaw("jwk", "the EC key is not a point of its curve");
  return jwk;
}

const EVP_MD* digest_of(std::string_view alg) {
  if (alg.size() != 5) return nullptr;
  const std::string_view bits = alg.substr(2);
  if (bits == "256") return EVP_sha256();
  if (bits == "384") return EVP_sha384();
  return bits == "512" ? EVP_sha512() : nullptr;
}

/// Whether the key can be used with the alg; for EC that also fixes the curve.
const Curve* curve_for(std::string_view alg) {
  for (const Curve& curve : curves) {
    if (curve.alg == alg) return &curve;
  }
  return nullptr;
}

bool fits(const EVP_PKEY& key, std::string_view alg) {
  if (digest_of(alg) == nullptr) return false;
  if (alg.starts_with("RS") || alg.starts_with("PS")) {
    return EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA;
  }
  const Curve* curve = curve_for(alg);
  if (curve == nullptr || EVP_PKEY_get_base_id(&key) != EVP_PKEY_EC) return false;
  std::array<char, 64> group{};
  std::size_t length = 0;
  EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                 &length);
  return std::string_view(group.data(), length) == curve->group;
}

void use_pss(EVP_PKEY_CTX* context, std::string_view alg) {
  if (!alg.starts_with("PS")) return;
  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
}

/// r and s side by side, as JWS writes them, to the DER that OpenSSL verifies.
std::optional<Octets> to_der(std::string_view raw, std::size_t width) {
  if (raw.size() != 2 * width) return std::nullopt;
  const EcSignature signature(ECDSA_SIG_new());
  ECDSA_SIG_set0(signature.get(), number(raw.substr(0, width)).release(),
                 number(raw.substr(width)).release());
  std::uint8_t* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  if (length <= 0) return std::nullopt;
  Octets out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

Octets from_der(std::string_view der, std::size_t width) {
  const std::uint8_t* cursor = bytes(der);
  const EcSignature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  if (!signature) throw std::runtime_error("OpenSSL made an unreadable ECDSA signature");
  Octets out(2 * width, '\0');
  auto* first = reinterpret_cast<std::uint8_t*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), first, static_cast<int>(width));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), first + width, static_cast<int>(width));
  return out;
}

}  // namespace

void KeyDeleter::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}

std::optional<std::string_view> text_of(simdjson::dom::object object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::int64_t> integer_of(simdjson::dom::object object, std::string_view name) {
  std::int64_t value = 0;
  if (object[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

Checked<Jwk> read_jwk(simdjson::dom::element json) {
  simdjson::dom::object object;
  if (json.get(object) != simdjson::SUCCESS) return flaw("jwk", "the key is not a JSON object");
  Jwk jwk;
  jwk.kid = text_of(object, "kid").value_or("");
  jwk.alg = text_of(object, "alg").value_or("");
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    jwk.has_private_members |= object[name].error() == simdjson::SUCCESS;
  }
  const std::string_view type = text_of(object, "kty").value_or("");
  if (type == "RSA") return read_rsa(object, std::move(jwk));
  if (type == "EC") return read_ec(object, std::move(jwk));
  return flaw("jwk", "kty must be RSA or EC");
}

Checked<Jwk> read_jwk(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS) {
    return flaw("jwk", "the key is not JSON");
  }
  return read_jwk(element);
}

Checked<Jws> Jws::parse(std::string_view compact) {
  const std::size_t first = compact.find('.');
  const std::size_t second = first == compact.npos ? first : compact.find('.', first + 1);
  if (second == compact.npos || compact.find('.', second + 1) != compact.npos) {
    return flaw("malformed", "a compact JWS has three parts");
  }
  const auto header = from_base64url(compact.substr(0, first));
  const auto payload = from_base64url(compact.substr(first + 1, second - first - 1));
  auto signature = from_base64url(compact.substr(second + 1));
  if (!header || !payload || !signature) {
    return flaw("malformed", "a part of the JWS is not base64url without padding");
  }
  Jws jws;
  jws.header_parser_ = std::make_unique<simdjson::dom::parser>();
  jws.payload_parser_ = std::make_unique<simdjson::dom::parser>();
  if (jws.header_parser_->parse(header->data(), header->size()).get(jws.header_) !=
          simdjson::SUCCESS ||
      jws.payload_parser_->parse(payload->data(), payload->size()).get(jws.payload_) !=
          simdjson::SUCCESS) {
    return flaw("malformed", "header and payload must be JSON objects");
  }
  jws.signing_input_ = compact.substr(0, second);
  jws.signature_ = std::move(*signature);
  return jws;
}

std::string Jws::header_text(std::string_view name) const {
  return std::string(text_of(header_, name).value_or(""));
}

bool Jws::is_signed_by(const Jwk& jwk) const {
  const std::string alg = header_text("alg");
  if (!jwk.key || !fits(*jwk.key, alg) || (!jwk.alg.empty() && jwk.alg != alg)) return false;
  Octets signature = signature_;
  if (const Curve* curve = curve_for(alg)) {
    const auto der = to_der(signature_, curve->width);
    if (!der) return false;
    signature = *der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  if (EVP_DigestVerifyInit(context.get(), &key_context, digest_of(alg), nullptr, jwk.key.get()) !=
      1) {
    return false;
  }
  use_pss(key_context, alg);
  return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signing_input_),
                          signing_input_.size()) == 1;
}

std::string sign_compact(EVP_PKEY& key, std::string_view alg, std::string_view header_json,
                         std::string_view payload_json) {
  if (!fits(key, alg)) throw std::runtime_error("the key does not fit its alg");
  const std::string input = base64url(header_json) + "." + base64url(payload_json);
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  if (EVP_DigestSignInit(context.get(), &key_context, digest_of(alg), nullptr, &key) != 1) {
    throw std::runtime_error("OpenSSL refuses to sign with this key");
  }
  use_pss(key_context, alg);
  std::size_t length = 0;
  EVP_DigestSign(context.get(), nullptr, &length, bytes(input), input.size());
  Octets signature(length, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<std::uint8_t*>(signature.data()), &length,
                     bytes(input), input.size()) != 1) {
    throw std::runtime_error("OpenSSL did not sign");
  }
  signature.resize(length);
  if (const Curve* curve = curve_for(alg)) signature = from_der(signature, curve->width);
  return input + "." + base64url(signature);
}

std::string key_number(const EVP_PKEY& key, const char* parameter, std::size_t width) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(&key, parameter, &raw) != 1) {
    throw std::runtime_error("the key lacks one of its numbers");
  }
  const Number value(raw);
  const std::size_t length = width > 0 ? width : static_cast<std::size_t>(BN_num_bytes(raw));
  Octets octets(length, '\0');
  BN_bn2binpad(raw, reinterpret_cast<std::uint8_t*>(octets.data()), static_cast<int>(length));
  return base64url(octets);
}

TokenSigner::TokenSigner() : key_(EVP_EC_gen("P-256")) {
  if (!key_) throw std::runtime_error("OpenSSL made no key for the tokens");
  kid_ = base64url(random_octets(9));
  public_jwk_ = R"({"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":")" + kid_ +
                R"(","x":")" + key_number(*key_, OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
                key_number(*key_, OSSL_PKEY_PARAM_EC_PUB_Y, 32) + R"("})";
}

std::string TokenSigner::sign(std::string_view header_json, std::string_view payload_json) const {
  return sign_compact(*key_, "ES256", header_json, payload_json);
}

}  // namespace helsekontakter::simulator

#include "tests/unit/helseid/keys.h"

#include "adapters/helseid/base64url.h"
#include "worker/domain/ensure.h"

#include <array>
#include <cstdlib>
#include <memory>

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <simdjson.h>

namespace helsekontakter::helseid::test {
namespace {

using Jwk = std::unique_ptr<cjose_jwk_t, bool (*)(cjose_jwk_t*)>;

std::string make(Kind kind) {
  static constexpr std::array<std::uint8_t, 3> exponent{1, 0, 1};
  cjose_err error{};
  cjose_jwk_t* made = nullptr;
  switch (kind) {
    case Kind::rsa:
    case Kind::rsa_other:
      made = cjose_jwk_create_RSA_random(2048, exponent.data(), exponent.size(), &error);
      break;
    case Kind::p256:
      made = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
      break;
    case Kind::p384:
      made = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, &error);
      break;
    case Kind::p521:
      made = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_521, &error);
      break;
  }
  const Jwk key(made, cjose_jwk_release);
  ensure(key != nullptr);
  const std::unique_ptr<char, void (*)(void*)> json(cjose_jwk_to_json(key.get(), true, &error),
                                                    std::free);
  return json.get();
}

const std::string& made_once(Kind kind) {
  static const std::array<std::string, 5> keys{
      make(Kind::rsa), make(Kind::rsa_other), make(Kind::p256), make(Kind::p384), make(Kind::p521)};
  return keys[static_cast<std::size_t>(kind)];
}

std::string part(const std::string& compact, int index) {
  std::string_view rest = compact;
  for (int i = 0; i < index; ++i) rest.remove_prefix(rest.find('.') + 1);
  const auto bytes = from_base64url(rest.substr(0, rest.find('.')));
  ensure(bytes.has_value());
  return {bytes->begin(), bytes->end()};
}

}  // namespace

std::string private_jwk(Kind kind, std::string_view kid, std::string_view alg) {
  std::string json = made_once(kind);
  if (!alg.empty()) json.insert(1, "\"alg\":\"" + std::string(alg) + "\",");
  if (!kid.empty()) json.insert(1, "\"kid\":\"" + std::string(kid) + "\",");
  return json;
}

std::string secret_of(Kind kind) {
  return member(made_once(kind), "/d");
}

bool verifies(const std::string& compact, const std::string& jwk) {
  cjose_err error{};
  const Jwk key(cjose_jwk_import(jwk.data(), jwk.size(), &error), cjose_jwk_release);
  const std::unique_ptr<cjose_jws_t, void (*)(cjose_jws_t*)> jws(
      cjose_jws_import(compact.data(), compact.size(), &error), cjose_jws_release);
  return key && jws && cjose_jws_verify(jws.get(), key.get(), &error);
}

std::string header_of(const std::string& compact) {
  return part(compact, 0);
}

std::string payload_of(const std::string& compact) {
  return part(compact, 1);
}

std::string member(const std::string& json, const std::string& pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element found;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).at_pointer(pointer).get(found) != simdjson::SUCCESS) return "-";
  std::string_view text;
  if (found.get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(found);
}

}  // namespace helsekontakter::helseid::test

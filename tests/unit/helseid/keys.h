#pragma once

#include <string>
#include <string_view>

/// Keys made at run time by libcjose, and its opinion on signatures.
namespace helsekontakter::helseid::test {

enum class Kind { rsa, rsa_other, p256, p384, p521 };

/// A private JWK; made once per kind and process. Empty kid or alg: left out.
std::string private_jwk(Kind kind, std::string_view kid = "kid-1", std::string_view alg = "");

/// The value of d, p or another private member, to look for where it must not be.
std::string secret_of(Kind kind);

/// True when libcjose finds the compact JWS well signed by that public (or whole) JWK.
bool verifies(const std::string& compact, const std::string& jwk);

std::string header_of(const std::string& compact);
std::string payload_of(const std::string& compact);

/// A text member of a JSON object, or a number as text; "-" when there is none. A JSON pointer
/// names it ("/a/b/0/c").
std::string member(const std::string& json, const std::string& pointer);

}  // namespace helsekontakter::helseid::test

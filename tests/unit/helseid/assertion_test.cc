#include "adapters/helseid/assertion.h"

#include "tests/unit/helseid/bench.h"
#include "tests/unit/helseid/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using test::Bench;
using test::Kind;
using test::member;
using test::org_a;
using test::org_b;

constexpr std::int64_t noon = 1'795'348'800;  // 2026-11-22T12:00:00Z

std::string assertion_with(const std::function<void(Settings&)>& change) {
  Bench bench;
  change(bench.settings);
  bench.start();
  EXPECT_EQ(test::shown(bench.ask()).substr(0, 6), "Bearer");
  return test::assertion_of(bench.helseid.last());
}

TEST(Assertion, CarriesTheHeaderAndClaimsThatHelseIdWants) {
  const std::string jws = assertion_with([](Settings&) {});
  EXPECT_EQ(test::header_of(jws),
            R"({"alg":"ES256","kid":"kid-1","typ":"client-authentication+jwt"})");
  const std::string claims = test::payload_of(jws);
  EXPECT_EQ(member(claims, "/iss"), "client-1");
  EXPECT_EQ(member(claims, "/sub"), "client-1");
  EXPECT_EQ(member(claims, "/aud"), test::issuer);
  EXPECT_EQ(member(claims, "/iat"), std::to_string(noon));
  EXPECT_EQ(member(claims, "/nbf"), std::to_string(noon));
  EXPECT_EQ(member(claims, "/exp"), std::to_string(noon + 30));
  EXPECT_EQ(member(claims, "/jti").size(), 22U);
  EXPECT_TRUE(test::verifies(jws, test::private_jwk(Kind::p256)));
}

TEST(Assertion, FollowsTheSettingsForTypAudienceLifeAndAlgorithm) {
  const std::string jws = assertion_with([](Settings& settings) {
    settings.assertion_typ = "JWT";
    settings.assertion_audience = "https://helseid.example/connect/token";
    settings.assertion_life = std::chrono::seconds(60);
    settings.alg = "ES256";
  });
  EXPECT_EQ(member(test::header_of(jws), "/typ"), "JWT");
  EXPECT_EQ(member(test::payload_of(jws), "/aud"), "https://helseid.example/connect/token");
  EXPECT_EQ(member(test::payload_of(jws), "/exp"), std::to_string(noon + 60));
}

/// One row of contract/helseid 4.
struct Naming {
  std::string says;
  Tenancy tenancy;
  bool parent;
  OrgChildEmptyForm empty_form;
  std::string system;  ///< "-": no claim
  std::string value;
};

class OrganizationClaim : public testing::TestWithParam<Naming> {};

TEST_P(OrganizationClaim, NamesWhoTheTokenIsFor) {
  const Naming& row = GetParam();
  const std::string jws = assertion_with([&](Settings& settings) {
    settings.tenancy = row.tenancy;
    settings.org_child_empty_form = row.empty_form;
    if (row.parent) settings.organizations.at(org_a).parent = org_b;
  });
  const std::string base = "/assertion_details/practitioner_role/organization/identifier/";
  const std::string claims = test::payload_of(jws);
  const bool none = row.system == "-";
  EXPECT_EQ(member(claims, base + "system"), row.system);
  EXPECT_EQ(member(claims, base + "value"), row.value);
  EXPECT_EQ(member(claims, base + "type"), none ? "-" : "ENH");
  EXPECT_EQ(member(claims, "/assertion_details/type"), none ? "-" : "helseid_authorization");
}

INSTANTIATE_TEST_SUITE_P(
    Section4, OrganizationClaim,
    testing::Values(
        Naming{"single_alone", Tenancy::single, false, OrgChildEmptyForm::parent, "-", "-"},
        Naming{"single_child", Tenancy::single, true, OrgChildEmptyForm::parent,
               "urn:oid:2.16.578.1.12.4.1.4.101", "948554062"},
        Naming{"multi_parent_and_child", Tenancy::multi, true, OrgChildEmptyForm::parent_colon,
               "urn:oid:1.0.6523", "NO:ORGNR:974760673:948554062"},
        Naming{"multi_alone", Tenancy::multi, false, OrgChildEmptyForm::parent, "urn:oid:1.0.6523",
               "NO:ORGNR:948554062"},
        Naming{"multi_alone_with_colon", Tenancy::multi, false, OrgChildEmptyForm::parent_colon,
               "urn:oid:1.0.6523", "NO:ORGNR:948554062:"}),
    [](const auto& row) { return row.param.says; });

TEST(Assertion, CanNameTheOrganizationUnderAnotherClaimInAnArrayAndAnotherSystem) {
  const std::string jws = assertion_with([](Settings& settings) {
    settings.tenancy = Tenancy::single;
    settings.organizations.at(org_a).parent = org_b;
    settings.org_claim = "authorization_details";
    settings.org_claim_form = OrgClaimForm::array;
    settings.org_child_system = "urn:oid:2.16.578.1.12.4.1.2.101";
  });
  const std::string base = "/authorization_details/0/practitioner_role/organization/identifier/";
  EXPECT_EQ(member(test::payload_of(jws), base + "system"), "urn:oid:2.16.578.1.12.4.1.2.101");
  EXPECT_EQ(member(test::payload_of(jws), "/assertion_details"), "-");
}

TEST(TokenRequest, IsAFormWithTheFieldsOfTheContract) {
  Bench bench;
  bench.settings.resource = "nhn:helsenorge.eksternapi";
  EXPECT_TRUE(bench.ask());
  const https::Request request = bench.helseid.last();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.text(), "https://helseid.example/connect/token");
  ASSERT_EQ(request.headers.size(), 2U);
  EXPECT_EQ(request.headers[0].value, "application/x-www-form-urlencoded");
  EXPECT_EQ(test::field(request, "grant_type"), "client_credentials");
  EXPECT_EQ(test::field(request, "client_id"), "client-1");
  EXPECT_EQ(test::field(request, "scope"), "nhn:helsenorge.eksternapi/helsekontakter");
  EXPECT_EQ(test::field(request, "resource"), "nhn:helsenorge.eksternapi");
  EXPECT_THAT(request.body,
              testing::HasSubstr("client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
                                 "client-assertion-type%3Ajwt-bearer&client_assertion="));
}

TEST(TokenRequest, LeavesOutAnEmptyScopeAndResource) {
  Bench bench;
  bench.settings.scope = "";
  EXPECT_TRUE(bench.ask());
  EXPECT_EQ(test::field(bench.helseid.last(), "scope"), "-");
  EXPECT_EQ(test::field(bench.helseid.last(), "resource"), "-");
}

TEST(Form, EscapesEverythingThatWouldChangeIt) {
  EXPECT_EQ(form({{"a b", "c&d=e%"}, {"empty", ""}, {"x", "\xc3\xa6/+~"}}),
            "a+b=c%26d%3De%25&x=%C3%A6%2F%2B%7E");
}

std::string proof_with(const ProofOf& bound, Kind kind = Kind::p256) {
  const auto key = choose_algorithm(PrivateJwk::parse(test::private_jwk(kind)).value(), "").value();
  const auto now = WallTime(std::chrono::seconds(noon) + Milliseconds(999));
  return dpop_proof(bound, key, now, "jti-1").value();
}

TEST(DpopProof, HasTheHashOfTheTokenInRfc9449) {
  const std::string proof =
      proof_with({.method = "GET",
                  .url = test::api_url,
                  .nonce = "",
                  .access_token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"});
  EXPECT_EQ(member(test::payload_of(proof), "/ath"), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

TEST(DpopProof, IsBoundToMethodAndUrlWithoutQueryAndShowsThePublicKeyOnly) {
  for (const Kind kind : {Kind::rsa, Kind::p256}) {
    const std::string proof = proof_with(
        {.method = "POST", .url = test::api_url, .nonce = "n-1", .access_token = ""}, kind);
    EXPECT_EQ(test::payload_of(proof), R"({"jti":"jti-1","htm":"POST",)"
                                       R"("htu":"https://api.example/helsekontakter/api/v1",)"
                                       R"("iat":1795348800,"nonce":"n-1"})");
    const std::string header = test::header_of(proof);
    EXPECT_EQ(member(header, "/typ"), "dpop+jwt");
    EXPECT_EQ(member(header, "/jwk/d"), "-");
    EXPECT_EQ(member(header, "/jwk/kty"), kind == Kind::rsa ? "RSA" : "EC");
    EXPECT_TRUE(test::verifies(proof, member(header, "/jwk")));
  }
}

}  // namespace
}  // namespace helsekontakter::helseid

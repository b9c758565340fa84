#include "tests/integration/simulator/parties.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace helsekontakter::simulator::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string our_details = details("NO:ORGNR:" + our_organization);

Reply ask(Bench& bench, const HttpRequest& request) {
  return bench.engine->helseid().answer(request, bench.now);
}

TEST(HelseIdOfTheSimulator, IssuesATokenForARightAssertion) {
  Bench bench;
  const Reply reply = ask(bench, bench.party.token_request({.details = our_details}, bench.now));
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr(R"("token_type":"Bearer")"));
  EXPECT_THAT(reply.body, HasSubstr(R"("expires_in":60)"));
  EXPECT_EQ(bench.count("helseid.tokens_issued"), 1);
}

struct Wrong {
  const char* name;
  std::string reason;
  std::string error;
  std::function<void(AssertionWish&)> spoil;
};

class WrongAssertion : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongAssertion, IsRefusedAndCountedByItsReason) {
  Bench bench;
  AssertionWish wish{.details = our_details};
  GetParam().spoil(wish);
  const Reply reply = ask(bench, bench.party.token_request(wish, bench.now));
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("\"error\":\"" + GetParam().error + "\""));
  EXPECT_EQ(bench.count("helseid.refused." + GetParam().reason), 1) << reply.body;
  EXPECT_THAT(bench.last_log, HasSubstr(GetParam().reason));
  EXPECT_EQ(bench.count("helseid.tokens_issued"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Assertion, WrongAssertion,
    ::testing::Values(
        Wrong{"Typ", "assertion_typ", "invalid_client", [](auto& w) { w.typ = "JWT"; }},
        Wrong{"Alg", "assertion_alg", "invalid_client", [](auto& w) { w.alg = "none"; }},
        Wrong{"OtherAlg", "assertion_signature", "invalid_client",
              [](auto& w) { w.alg = "ES384"; }},
        Wrong{"Kid", "assertion_kid", "invalid_client", [](auto& w) { w.kid = "another"; }},
        Wrong{"NoKid", "assertion_kid", "invalid_client", [](auto& w) { w.kid = ""; }},
        Wrong{"Signature", "assertion_signature", "invalid_client",
              [](auto& w) { w.is_forged = true; }},
        Wrong{"Issuer", "assertion_iss", "invalid_client", [](auto& w) { w.iss = "x"; }},
        Wrong{"Subject", "assertion_sub", "invalid_client", [](auto& w) { w.sub = "x"; }},
        Wrong{"Audience", "assertion_aud", "invalid_client",
              [](auto& w) { w.aud = "\"" + origin + "/connect/token\""; }},
        Wrong{"AudienceList", "assertion_aud", "invalid_client",
              [](auto& w) { w.aud = "[\"" + origin + "\"]"; }},
        Wrong{"LongLife", "assertion_life", "invalid_client", [](auto& w) { w.life_s = 61; }},
        Wrong{"Expired", "assertion_expired", "invalid_client", [](auto& w) { w.issued_s = -36; }},
        Wrong{"Future", "assertion_early", "invalid_client", [](auto& w) { w.issued_s = 6; }},
        Wrong{"SingleStructure", "details_tenancy", "invalid_request",
              [](auto& w) {
                w.details = details(our_organization, "urn:oid:2.16.578.1.12.4.1.4.101");
              }},
        Wrong{"Value", "details_value", "invalid_request",
              [](auto& w) { w.details = details("NO:ORGNR:948554063"); }},
        Wrong{"Structure", "details_structure", "invalid_request",
              [](auto& w) { w.details = "{\"type\":\"helseid_authorization\"}"; }}),
    [](const auto& test) { return test.param.name; });

TEST(HelseIdOfTheSimulator, TakesAnAssertionOnlyOnce) {
  Bench bench;
  const HttpRequest request = bench.party.token_request({.details = our_details}, bench.now);
  EXPECT_EQ(ask(bench, request).status, 200);
  EXPECT_EQ(ask(bench, request).status, 400);
  EXPECT_EQ(bench.count("helseid.refused.assertion_replayed"), 1);
}

TEST(HelseIdOfTheSimulator, RefusesAScopeThatTheClientLacks) {
  Bench bench;
  const Reply reply =
      ask(bench, bench.party.token_request({.details = our_details}, bench.now, "&scope=other"));
  EXPECT_THAT(reply.body, HasSubstr("invalid_scope"));
}

TEST(HelseIdOfTheSimulator, NamesTheRejectedScopeOfAnOrganisationAndStillAnswers200) {
  Bench bench("helseid: {rejected_scope_organizations: ['948554062']}");
  const Reply reply = ask(bench, bench.party.token_request({.details = our_details}, bench.now));
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr(R"("scope":"","rejected_scope":"nhn:)"));
}

TEST(HelseIdOfTheSimulator, RefusesAnOrganisationWhoseDelegationIsRevoked) {
  Bench bench;
  bench.change(R"({"helseid":{"revoked_organizations":["948554062"]}})");
  const Reply reply = ask(bench, bench.party.token_request({.details = our_details}, bench.now));
  EXPECT_THAT(reply.body, HasSubstr("invalid_request"));
  EXPECT_FALSE(bench.token(other_organization).empty());
}

TEST(HelseIdOfTheSimulator, ChallengesForANonceAndThenBindsTheTokenToTheKey) {
  Bench bench;
  HttpRequest request = bench.party.token_request({.details = our_details}, bench.now);
  request.headers.emplace_back("DPoP", bench.party.proof({}, bench.now));
  const Reply challenge = ask(bench, request);
  EXPECT_EQ(challenge.status, 400);
  EXPECT_THAT(challenge.body, HasSubstr("use_dpop_nonce"));
  ASSERT_EQ(challenge.headers.front().first, "DPoP-Nonce");
  const std::string nonce = challenge.headers.front().second;
  request.headers.back().second = bench.party.proof({.nonce = nonce}, bench.now);
  const Reply reply = ask(bench, request);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr(R"("token_type":"DPoP")"));
}

struct WrongProofCase {
  const char* name;
  std::string reason;
  ProofWish proof;
};

class WrongProof : public ::testing::TestWithParam<WrongProofCase> {};

TEST_P(WrongProof, IsRefused) {
  Bench bench("helseid: {nonce: false}");
  HttpRequest request = bench.party.token_request({.details = our_details}, bench.now);
  request.headers.emplace_back("DPoP", bench.party.proof(GetParam().proof, bench.now));
  EXPECT_THAT(ask(bench, request).body, HasSubstr("invalid_dpop_proof"));
  EXPECT_EQ(bench.count("helseid.refused." + GetParam().reason), 1) << bench.last_log;
}

INSTANTIATE_TEST_SUITE_P(
    Proof, WrongProof,
    ::testing::Values(WrongProofCase{"Typ", "proof_typ", {.typ = "JWT"}},
                      WrongProofCase{"Method", "proof_htm", {.htm = "GET"}},
                      WrongProofCase{"Url", "proof_htu", {.htu = origin + "/connect/token?a=b"}},
                      WrongProofCase{"Old", "proof_iat", {.issued_s = -16}},
                      WrongProofCase{"Future", "proof_iat", {.issued_s = 6}},
                      WrongProofCase{
                          "PrivateKey", "proof_private_key", {.shows_private_key = true}}),
    [](const auto& test) { return test.param.name; });

TEST(HelseIdOfTheSimulator, TakesAProofOnlyOnce) {
  Bench bench("helseid: {nonce: false}");
  const std::string proof = bench.party.proof({}, bench.now);
  for (const int status : {200, 400}) {
    HttpRequest request = bench.party.token_request({.details = our_details}, bench.now);
    request.headers.emplace_back("DPoP", proof);
    EXPECT_EQ(ask(bench, request).status, status);
  }
  EXPECT_EQ(bench.count("helseid.refused.proof_replayed"), 1);
}

TEST(HelseIdOfTheSimulator, MisbehavesAsConfiguredAndMendsAtRunTime) {
  Bench bench("helseid: {fault: server_error}");
  const auto fresh = [&] {
    return ask(bench, bench.party.token_request({.details = our_details}, bench.now));
  };
  EXPECT_EQ(fresh().status, 500);
  bench.change(R"({"helseid":{"fault":"down"}})");
  EXPECT_TRUE(fresh().cut);
  bench.change(R"({"helseid":{"fault":"invalid_client"}})");
  EXPECT_THAT(fresh().body, HasSubstr("invalid_client"));
  bench.change(R"({"helseid":{"fault":"slow","slow_s":2}})");
  EXPECT_EQ(fresh().delay_ms, 2'000);
  bench.change(R"({"helseid":{"fault":"none"}})");
  EXPECT_EQ(fresh().status, 200);
}

class Algorithm : public ::testing::TestWithParam<std::string> {};

TEST_P(Algorithm, VerifiesItsOwnKeyAndNoOther) {
  const std::string alg = GetParam();
  const bool is_rsa = alg[0] != 'E';
  const char* curve = alg == "ES256" ? "P-256" : alg == "ES384" ? "P-384" : "P-521";
  const auto new_key = [&] { return Key(is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen(curve)); };
  const auto public_part = [](const Key& key) {
    EVP_PKEY_up_ref(key.get());
    Jwk jwk;
    jwk.key = std::shared_ptr<EVP_PKEY>(key.get(), EVP_PKEY_free);
    return jwk;
  };
  const Key key = new_key();
  const auto jws = Jws::parse(sign_compact(*key, alg, "{\"alg\":\"" + alg + "\"}", "{}"));
  ASSERT_TRUE(jws.has_value());
  Jwk jwk = public_part(key);
  EXPECT_TRUE(jws->is_signed_by(jwk));
  EXPECT_FALSE(jws->is_signed_by(public_part(new_key())));
  jwk.alg = "another";
  EXPECT_FALSE(jws->is_signed_by(jwk));
}

INSTANTIATE_TEST_SUITE_P(All, Algorithm,
                         ::testing::Values("RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                           "ES256", "ES384", "ES512"));

TEST(Jose, ThumbprintIsThatOfTheStandardsExample) {
  const auto jwk =
      read_jwk(R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT8)"
               R"(6zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArw)"
               R"(l93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q)"
               R"(MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xB)"
               R"(niIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-0)"
               R"(4-29"})");
  ASSERT_TRUE(jwk.has_value()) << jwk.error().text;
  EXPECT_EQ(jwk->thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

}  // namespace
}  // namespace helsekontakter::simulator::testing

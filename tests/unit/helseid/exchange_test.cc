#include "adapters/helseid/jwk.h"
#include "tests/unit/helseid/bench.h"
#include "tests/unit/helseid/keys.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using test::Bench;
using test::member;
using test::org_a;
using test::shown;

https::Response nonce_answer(const std::string& nonce) {
  https::Response response = test::refused("use_dpop_nonce", "nonce needed");
  response.headers.push_back({"DPoP-Nonce", nonce});
  return response;
}

std::string proof_of(const https::Request& request) {
  return request.headers.back().name == "DPoP" ? request.headers.back().value : "";
}

std::string jti_of(const std::string& jws) {
  return member(test::payload_of(jws), "/jti");
}

class DpopMode : public testing::Test {
 protected:
  DpopMode() { bench.settings.token_mode = TokenMode::dpop; }
  Bench bench;
};

TEST_F(DpopMode, RepeatsOnceWithTheNonceAndEverythingElseNew) {
  bench.helseid.next(nonce_answer("n-1"));
  EXPECT_EQ(shown(bench.ask()), "DPoP token-1");
  const auto requests = bench.helseid.token_requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(member(test::payload_of(proof_of(requests[0])), "/nonce"), "-");
  EXPECT_EQ(member(test::payload_of(proof_of(requests[1])), "/nonce"), "n-1");
  EXPECT_EQ(member(test::payload_of(proof_of(requests[1])), "/htu"),
            "https://helseid.example/connect/token");
  std::set<std::string> jtis;
  for (const auto& request : requests) {
    jtis.insert(jti_of(proof_of(request)));
    jtis.insert(jti_of(test::assertion_of(request)));
    EXPECT_TRUE(test::verifies(proof_of(request), test::private_jwk(test::Kind::p256)));
  }
  EXPECT_EQ(jtis.size(), 4U);
}

TEST_F(DpopMode, DoesNotPlayTheNonceGameForEver) {
  bench.helseid.next(nonce_answer("n-1"));
  bench.helseid.next(nonce_answer("n-2"));
  EXPECT_EQ(shown(bench.ask()), "token_unavailable");
  EXPECT_EQ(bench.helseid.token_requests().size(), 2U);
}

TEST_F(DpopMode, GivesEachCallAProofOfItsOwnBoundToItAndToTheToken) {
  const Authorized first = bench.ask();
  const Authorized second = bench.ask();
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ((*first)[1].name, "DPoP");
  const std::string proof = (*first)[1].value;
  EXPECT_EQ(member(test::payload_of(proof), "/htm"), "POST");
  EXPECT_EQ(member(test::payload_of(proof), "/htu"), "https://api.example/helsekontakter/api/v1");
  EXPECT_EQ(member(test::payload_of(proof), "/nonce"), "-");
  EXPECT_EQ(member(test::payload_of(proof), "/ath"), sha256_base64url("token-1"));
  EXPECT_NE(jti_of(proof), jti_of((*second)[1].value));
  EXPECT_EQ(bench.helseid.token_requests().size(), 1U);
}

TEST_F(DpopMode, GivesWaitersOfOneTokenDifferentProofs) {
  bench.start();
  bench.helseid.cork();
  bench.ask_later();
  bench.ask_later();
  bench.helseid.uncork();
  ASSERT_EQ(bench.answers.size(), 2U);
  EXPECT_NE((*bench.answers[0])[1].value, (*bench.answers[1])[1].value);
}

TEST_F(DpopMode, RebuildsARefusedProofOnce) {
  bench.helseid.next(test::refused("invalid_dpop_proof"));
  EXPECT_EQ(shown(bench.ask()), "DPoP token-1");
  bench.pass(std::chrono::minutes(1));
  bench.helseid.next(test::refused("invalid_dpop_proof"));
  bench.helseid.next(test::refused("invalid_dpop_proof"));
  EXPECT_EQ(shown(bench.ask()), "client_refused");
  EXPECT_EQ(bench.helseid.token_requests().size(), 4U);
}

TEST_F(DpopMode, RefusesABearerTokenAsAFaultOfConfiguration) {
  bench.helseid.next(test::granted("t", 60, "Bearer"));
  EXPECT_EQ(shown(bench.ask()), "client_refused");
  EXPECT_THAT(bench.answers.back().error().text, testing::HasSubstr("auth.token_mode is dpop"));
}

TEST_F(DpopMode, MayNeedANonceAgainAfterInvalidClient) {
  bench.helseid.next(nonce_answer("n-1"));
  bench.helseid.next(test::refused("invalid_client"));
  bench.helseid.next(nonce_answer("n-2"));
  EXPECT_EQ(shown(bench.ask()), "DPoP token-1");
  const auto requests = bench.helseid.token_requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(member(test::payload_of(proof_of(requests[2])), "/nonce"), "n-1");
  EXPECT_EQ(member(test::payload_of(proof_of(requests[3])), "/nonce"), "n-2");
}

TEST_F(DpopMode, SignsProofsWithTheKeyThatTheTokenIsBoundTo) {
  const Authorized answer = bench.ask();
  const std::string header = test::header_of((*answer)[1].value);
  EXPECT_EQ(PrivateJwk::parse(test::private_jwk(test::Kind::p256))->public_json(),
            member(header, "/jwk"));
}

TEST(BearerMode, SendsNoProof) {
  Bench bench;
  const Authorized answer = bench.ask();
  EXPECT_EQ(answer->size(), 1U);
  EXPECT_EQ(proof_of(bench.helseid.last()), "");
}

TEST(InvalidClient, IsTriedOnceMoreWithTheKeyFileReadAgain) {
  Bench bench;
  bench.helseid.next([&](const https::Request&) {
    bench.key_path.write(test::private_jwk(test::Kind::p256, "kid-2"));
    return https::Answer(test::refused("invalid_client"));
  });
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
  const auto requests = bench.helseid.token_requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(member(test::header_of(test::assertion_of(requests[1])), "/kid"), "kid-2");
  EXPECT_NE(jti_of(test::assertion_of(requests[0])), jti_of(test::assertion_of(requests[1])));
}

}  // namespace
}  // namespace helsekontakter::helseid

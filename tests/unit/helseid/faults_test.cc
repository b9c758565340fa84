#include "adapters/helseid/breaker.h"
#include "tests/unit/helseid/bench.h"
#include "tests/unit/helseid/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using std::chrono::seconds;
using test::Bench;
using test::json_answer;
using test::org_a;
using test::org_b;
using test::refused;
using test::shown;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

https::Answer failure(https::Failure::Phase phase) {
  https::Failure failed;
  failed.phase = phase;
  failed.text = "helseid.example does not answer";
  return tl::unexpected(failed);
}

/// One row of contract/helseid 7: what HelseID says, until it says nothing new.
struct Row {
  std::string says;
  https::Answer answer;
  std::string shared;  ///< the cause, with the shared client
  std::string own;     ///< the cause, with the organisation's own
  std::size_t asked;   ///< requests for the first call
  bool remembered;     ///< a second call at once is answered without a request
};

class HelseIdFault : public testing::TestWithParam<Row> {
 protected:
  /// The cause that organisation b sees, and how often HelseID was asked.
  static std::pair<std::string, std::size_t> meet(Bench& bench) {
    for (int i = 0; i < 4; ++i) bench.helseid.next(GetParam().answer);
    const std::string cause = shown(bench.ask(org_b));
    return {cause, bench.helseid.token_requests().size()};
  }
};

TEST_P(HelseIdFault, BecomesTheCauseOfTheTable) {
  Bench bench;
  const auto [cause, asked] = meet(bench);
  EXPECT_EQ(cause, GetParam().shared);
  EXPECT_EQ(asked, GetParam().asked);
  EXPECT_EQ(shown(bench.ask(org_b)), GetParam().shared);
  EXPECT_EQ(bench.helseid.token_requests().size(), asked * (GetParam().remembered ? 1 : 2));
  EXPECT_EQ(bench.failures.size(), GetParam().remembered ? 1U : 2U);
}

TEST_P(HelseIdFault, OfAnOwnClientIsThatOrganizationsOnly) {
  Bench bench;
  const test::KeyPath own;
  own.write(test::private_jwk(test::Kind::p384, "own"));
  bench.settings.organizations.at(org_b) = {"own-client", own.str(), std::nullopt};
  EXPECT_EQ(meet(bench).first, GetParam().own);
}

constexpr auto rejected = R"({"access_token":"t","token_type":"Bearer","expires_in":60,)"
                          R"("rejected_scope":"nhn:helsenorge.eksternapi/helsekontakter"})";
constexpr auto missing =
    R"({"access_token":"t","token_type":"Bearer","expires_in":60,"scope":"other"})";
constexpr auto un = "token_unavailable";
constexpr auto cl = "client_refused";
constexpr auto org = "token_refused";

INSTANTIATE_TEST_SUITE_P(
    Section7, HelseIdFault,
    testing::Values(Row{"invalid_request", refused("invalid_request"), org, org, 1, true},
                    Row{"invalid_client", refused("invalid_client"), cl, org, 2, true},
                    Row{"invalid_scope", refused("invalid_scope"), org, org, 1, true},
                    Row{"unauthorized_client", refused("unauthorized_client"), org, org, 1, true},
                    Row{"unsupported_grant_type", refused("unsupported_grant_type"), org, org, 1,
                        true},
                    Row{"invalid_grant", refused("invalid_grant"), org, org, 1, true},
                    Row{"rejected_scope", json_answer(200, rejected), org, org, 1, true},
                    Row{"missing_scope", json_answer(200, missing), org, org, 1, true},
                    Row{"wrong_token_type", test::granted("t", 60, "DPoP"), cl, org, 1, true},
                    Row{"nonce_for_bearer", refused("use_dpop_nonce"), cl, org, 1, true},
                    Row{"hid_1004", refused("HID-1004"), org, org, 1, true},
                    Row{"too_many_requests", json_answer(429, ""), un, un, 1, false},
                    Row{"server_fault", json_answer(500, "{}"), un, un, 1, false},
                    Row{"bad_gateway", json_answer(502, "<html>"), un, un, 1, false},
                    Row{"garbage", json_answer(200, "<html>"), un, un, 1, false},
                    Row{"no_connection", failure(https::Failure::Phase::connect), un, un, 1, false},
                    Row{"no_tls", failure(https::Failure::Phase::tls), un, un, 1, false},
                    Row{"timeout", failure(https::Failure::Phase::read), un, un, 1, false}),
    [](const auto& row) { return row.param.says; });

TEST(Faults, OfTheSharedClientStopEveryOrganizationThatUsesIt) {
  Bench bench;
  for (int i = 0; i < 2; ++i) bench.helseid.next(refused("invalid_client"));
  EXPECT_EQ(shown(bench.ask(org_a)), "client_refused");
  EXPECT_EQ(shown(bench.ask(org_b)), "client_refused");
  EXPECT_EQ(bench.helseid.token_requests().size(), 2U);
}

TEST(Faults, OfOneOrganizationLeaveTheOthersAlone) {
  Bench bench;
  bench.helseid.next(refused("invalid_scope"));
  EXPECT_EQ(shown(bench.ask(org_a)), "token_refused");
  EXPECT_EQ(shown(bench.ask(org_b)), "Bearer token-1");
  EXPECT_EQ(shown(bench.ask(org_a)), "token_refused");
}

TEST(Faults, AreAskedAgainAfterGrowingPausesOnly) {
  Bench bench;
  for (const int pause_s : {5, 10, 20, 40, 80, 160, 300, 300}) {
    bench.helseid.next(refused("invalid_scope"));
    EXPECT_EQ(shown(bench.ask()), "token_refused");
    const std::size_t asked = bench.helseid.token_requests().size();
    bench.pass(seconds(pause_s) - Milliseconds(1));
    EXPECT_EQ(shown(bench.ask()), "token_refused");
    EXPECT_EQ(bench.helseid.token_requests().size(), asked) << pause_s;
    bench.pass(Milliseconds(1));
  }
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
  bench.pass(std::chrono::minutes(1));
  bench.helseid.next(refused("invalid_scope"));
  bench.ask();
  bench.pass(seconds(5));
  EXPECT_EQ(shown(bench.ask()), "Bearer token-2");
}

TEST(Faults, OfAClientEndAtOnceWithANewKey) {
  Bench bench;
  for (int i = 0; i < 2; ++i) bench.helseid.next(refused("invalid_client"));
  EXPECT_EQ(shown(bench.ask()), "client_refused");
  EXPECT_EQ(shown(bench.ask()), "client_refused");
  bench.key_path.write(test::private_jwk(test::Kind::p256, "kid-2"));
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
}

TEST(Faults, WithRetryAfterKeepEveryoneQuietForThatLong) {
  Bench bench;
  https::Response busy = json_answer(429, "");
  busy.headers.push_back({"Retry-After", "20"});
  bench.helseid.next(busy);
  EXPECT_EQ(shown(bench.ask(org_a)), "token_unavailable");
  bench.pass(seconds(19));
  EXPECT_EQ(shown(bench.ask(org_b)), "token_unavailable");
  EXPECT_EQ(bench.helseid.token_requests().size(), 1U);
  bench.pass(seconds(1));
  EXPECT_EQ(shown(bench.ask(org_b)), "Bearer token-1");
}

TEST(Faults, AreToldToTheObserverByTheirCode) {
  Bench bench;
  bench.helseid.next(json_answer(503, ""));
  bench.ask();
  bench.helseid.next(failure(https::Failure::Phase::connect));
  bench.ask();
  bench.helseid.next(refused("invalid_scope"));
  bench.ask();
  EXPECT_THAT(bench.failures, ElementsAre("http_503", "connect", "invalid_scope"));
}

TEST(Faults, OfAStoppedHttpClientMeanStopping) {
  Bench bench;
  bench.helseid.next(failure(https::Failure::Phase::stopped));
  EXPECT_EQ(shown(bench.ask()), "stopped");
}

TEST(Faults, NeverTellASecret) {
  Bench bench;
  bench.settings.token_mode = TokenMode::dpop;
  std::vector<std::string> secrets{test::secret_of(test::Kind::p256), "13116900216"};
  // A peer that echoes whatever it got, in every place where it may say something.
  const auto echo = [&](const std::string& error, int status) {
    bench.helseid.next([&, error, status](const https::Request& request) {
      secrets.push_back(test::assertion_of(request));
      secrets.push_back(request.headers.back().value);
      const std::string all = "13116900216 " + secrets[2] + " " + secrets.back();
      return https::Answer(json_answer(
          status, R"({"error":")" + error + R"(","error_description":")" + all +
                      R"(","access_token":"secret-token-value","token_type":")" + all +
                      R"(","scope":")" + all + R"(","rejected_scope":")" + all + R"("})"));
    });
    bench.ask();
    bench.pass(std::chrono::minutes(10));
  };
  for (const char* code : {"invalid_request", "invalid_scope", "", "server_error"}) echo(code, 400);
  bench.settings.scope = "";
  bench.start();
  echo("x", 200);
  echo("invalid_dpop_proof 13116900216", 400);
  bench.helseid.next([&](const https::Request& request) {
    https::Failure failed;
    failed.text = "cannot write " + request.body + request.headers.back().value;
    return https::Answer(tl::unexpected(failed));
  });
  bench.ask();
  bench.key_path.write(test::private_jwk(test::Kind::p256).substr(0, 150));
  bench.pass(std::chrono::minutes(10));
  bench.ask();
  secrets.emplace_back("secret-token-value");

  std::vector<std::string> told = bench.warnings;
  told.insert(told.end(), bench.failures.begin(), bench.failures.end());
  for (const Authorized& answer : bench.answers) {
    if (!answer) told.push_back(answer.error().text);
  }
  EXPECT_GE(told.size(), 14U);
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0; at + 24 <= secret.size(); at += 24) {
      EXPECT_THAT(told, Each(Not(HasSubstr(secret.substr(at, 24)))));
    }
    EXPECT_THAT(told, Each(Not(HasSubstr(secret))));
  }
}

}  // namespace
}  // namespace helsekontakter::helseid

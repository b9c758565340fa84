#include "adapters/helseid/token_cache.h"
#include "tests/unit/helseid/bench.h"
#include "tests/unit/helseid/keys.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using std::chrono::seconds;
using test::Bench;
using test::org_a;
using test::org_b;
using test::org_c;
using test::shown;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(TokenSource, GivesOneTokenOutUntilItIsRenewed) {
  Bench bench;
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
  bench.pass(seconds(44));
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
  bench.pass(seconds(1));
  EXPECT_EQ(shown(bench.ask()), "Bearer token-2");
  EXPECT_THAT(bench.lives, ElementsAre(seconds(60), seconds(60)));
}

TEST(TokenSource, HasOneTokenForEachOrganizationThatTheAssertionNames) {
  Bench bench;
  bench.ask(org_a);
  EXPECT_EQ(shown(bench.ask(org_b)), "Bearer token-2");
  EXPECT_EQ(shown(bench.ask(org_a)), "Bearer token-1");
}

TEST(TokenSource, SharesATokenThatNamesNobody) {
  Bench bench;
  bench.settings.tenancy = Tenancy::single;
  bench.ask(org_a);
  EXPECT_EQ(shown(bench.ask(org_b)), "Bearer token-1");
}

TEST(TokenSource, GivesAnOrganizationWithItsOwnClientItsOwnToken) {
  Bench bench;
  bench.settings.tenancy = Tenancy::single;
  const test::KeyPath own;
  own.write(test::private_jwk(test::Kind::rsa, "own-kid", "PS256"));
  bench.settings.organizations.at(org_b) = {"own-client", own.str(), std::nullopt};
  bench.ask(org_a);
  EXPECT_EQ(shown(bench.ask(org_b)), "Bearer token-2");
  const std::string jws = test::assertion_of(bench.helseid.last());
  EXPECT_EQ(test::field(bench.helseid.last(), "client_id"), "own-client");
  EXPECT_EQ(test::member(test::payload_of(jws), "/iss"), "own-client");
  EXPECT_EQ(test::member(test::header_of(jws), "/kid"), "own-kid");
}

TEST(TokenSource, SendsNothingForAnOrganizationThatIsNotListed) {
  Bench bench;
  EXPECT_EQ(shown(bench.ask(org_c)), "token_refused");
  EXPECT_THAT(bench.answers.back().error().text, HasSubstr("923609016"));
  EXPECT_TRUE(bench.helseid.token_requests().empty());
}

TEST(TokenSource, WithNoneGivesNoHeaders) {
  Bench bench;
  bench.settings = {};
  bench.settings.none = true;
  EXPECT_EQ(shown(bench.ask(org_c)), "nothing");
}

/// When a token of this life is renewed, for a call that needs next to no time.
struct Margin {
  int life_s;
  int percent;
  int max_s;
  int good_until_s;  ///< the last second at which it is still given out
};

class RenewalMargin : public testing::TestWithParam<Margin> {};

TEST_P(RenewalMargin, IsTheShareOfTheLifeWithinItsLimits) {
  const Margin& row = GetParam();
  Bench bench;
  bench.settings.expiry_margin_percent = row.percent;
  bench.settings.expiry_margin_max = seconds(row.max_s);
  bench.helseid.next(test::granted("first", row.life_s));
  bench.ask(org_a, Milliseconds(1));
  bench.pass(seconds(row.good_until_s));
  EXPECT_EQ(shown(bench.ask(org_a, Milliseconds(1))), "Bearer first");
  bench.pass(seconds(1));
  EXPECT_EQ(shown(bench.ask(org_a, Milliseconds(1))), "Bearer token-1");
}

INSTANTIATE_TEST_SUITE_P(Section6, RenewalMargin,
                         testing::Values(Margin{60, 20, 30, 47}, Margin{600, 20, 30, 569},
                                         Margin{100, 20, 30, 79}, Margin{10, 10, 30, 7},
                                         Margin{60, 0, 0, 57}, Margin{60, 50, 30, 29},
                                         Margin{5, 20, 30, 2}));

TEST(TokenSource, RenewsATokenThatWouldEndDuringTheCall) {
  Bench bench;
  bench.ask(org_a, seconds(15));
  bench.pass(seconds(40));
  EXPECT_EQ(shown(bench.ask(org_a, seconds(19))), "Bearer token-1");
  EXPECT_EQ(shown(bench.ask(org_a, seconds(20))), "Bearer token-2");
}

TEST(TokenSource, UsesATokenFreshWhoseWholeLifeIsTooShortAndSaysSoOnce) {
  Bench bench;
  for (int i = 1; i <= 3; ++i) bench.helseid.next(test::granted("short-" + std::to_string(i), 10));
  EXPECT_EQ(shown(bench.ask(org_a, seconds(15))), "Bearer short-1");
  bench.pass(seconds(4));
  EXPECT_EQ(shown(bench.ask(org_a, seconds(15))), "Bearer short-1");
  bench.pass(seconds(1));
  EXPECT_EQ(shown(bench.ask(org_a, seconds(15))), "Bearer short-2");
  EXPECT_EQ(bench.helseid.token_requests().size(), 2U);
  EXPECT_THAT(bench.warnings, ElementsAre(HasSubstr("live 10000 ms")));
}

TEST(TokenSource, GivesATokenWithoutALifeToThoseWhoWaitOnly) {
  Bench bench;
  bench.helseid.next(test::granted("momentary", 0));
  EXPECT_EQ(shown(bench.ask()), "Bearer momentary");
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
}

TEST(TokenSource, CountsTheLifeFromTheAsking) {
  Bench bench;
  bench.start();
  bench.helseid.cork();
  bench.ask_later(org_a, seconds(1));
  bench.helseid.uncork();  // metadata and the token request went out at the same time
  bench.helseid.cork();
  bench.pass(seconds(60));
  bench.ask_later(org_a, seconds(1));
  bench.pass(seconds(50));
  bench.helseid.uncork();
  EXPECT_EQ(shown(bench.answers.back()), "Bearer token-2");
  EXPECT_EQ(shown(bench.ask(org_a, seconds(1))), "Bearer token-3");
}

TEST(TokenSource, DropsTheRefusedTokenAndNoOther) {
  Bench bench;
  const Authorized first = bench.ask();
  bench.source->drop(org_a, *first);
  EXPECT_EQ(shown(bench.ask()), "Bearer token-2");
  bench.source->drop(org_a, *first);
  bench.source->drop(org_b, *bench.answers.back());
  bench.source->drop(org_c, *first);
  EXPECT_EQ(shown(bench.ask()), "Bearer token-2");
}

TEST(TokenSource, AsksOnceForAHundredWaiters) {
  Bench bench;
  bench.start();
  bench.helseid.cork();
  std::mutex mutex;
  std::vector<std::string> answers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        bench.source->authorize(org_a, "POST", test::api_url, seconds(15), [&](Authorized answer) {
          const std::lock_guard lock(mutex);
          answers.push_back(shown(answer));
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(answers.empty());
  bench.helseid.uncork();
  EXPECT_EQ(bench.helseid.token_requests().size(), 1U);
  EXPECT_EQ(bench.helseid.metadata_requests(), 1U);
  EXPECT_EQ(answers, std::vector<std::string>(100, "Bearer token-1"));
}

TEST(TokenSource, AnswersEachCallOnceWhileManyThreadsAskDropAndStop) {
  Bench bench;
  bench.start();
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 50; ++j) {
        const OrganizationNumber organization = (i + j) % 2 == 0 ? org_a : org_b;
        bench.source->authorize(organization, "POST", test::api_url, seconds(15),
                                [&](Authorized answer) {
                                  ++answered;
                                  if (answer) bench.source->drop(organization, *answer);
                                });
        if (i == 7 && j == 40) bench.source->stop();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 400);
}

TEST(TokenSource, LetsNoMoreWaitThanItsLimit) {
  Bench bench;
  bench.start();
  bench.helseid.cork();
  for (std::size_t i = 0; i < HelseIdTokenSource::waiting_max; ++i) {
    bench.ask_later(i % 2 == 0 ? org_a : org_b);
  }
  EXPECT_TRUE(bench.answers.empty());
  EXPECT_EQ(shown(bench.ask(org_a)), "token_unavailable");
  bench.helseid.uncork();
  EXPECT_EQ(bench.answers.size(), HelseIdTokenSource::waiting_max + 1);
}

TEST(TokenSource, AnswersWaitersWithStoppedAndAsksNoMore) {
  Bench bench;
  bench.start();
  bench.helseid.cork();
  bench.ask_later();
  bench.source->stop();
  EXPECT_EQ(shown(bench.answers.at(0)), "stopped");
  EXPECT_EQ(shown(bench.ask(org_b)), "stopped");
  bench.helseid.uncork();
  EXPECT_TRUE(bench.helseid.token_requests().empty());
  EXPECT_EQ(bench.answers.size(), 2U);
}

TEST(TokenSource, MayGoWhileARequestIsUnderWay) {
  Bench bench;
  bench.settings.token_endpoint = "https://helseid.example/token";
  bench.start();
  bench.helseid.cork();
  bench.ask_later();
  bench.source.reset();
  EXPECT_EQ(shown(bench.answers.at(0)), "stopped");
  bench.helseid.uncork();
  EXPECT_EQ(bench.answers.size(), 1U);
}

}  // namespace
}  // namespace helsekontakter::helseid

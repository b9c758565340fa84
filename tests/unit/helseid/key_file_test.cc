#include "adapters/helseid/key_file.h"

#include "tests/unit/helseid/bench.h"
#include "tests/unit/helseid/keys.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using test::Bench;
using test::Kind;
using test::private_jwk;
using test::shown;
using testing::ElementsAre;
using testing::HasSubstr;

std::string kid_of(const https::Request& request) {
  return test::member(test::header_of(test::assertion_of(request)), "/kid");
}

TEST(KeyFile, IsReadAgainByContentNotByTimeStamp) {
  Bench bench;
  bench.start();
  const auto stamp = std::filesystem::last_write_time(bench.key_path.str());
  bench.ask();
  bench.key_path.write(private_jwk(Kind::p256, "kid-2"));
  std::filesystem::last_write_time(bench.key_path.str(), stamp);
  bench.pass(std::chrono::minutes(1));
  bench.ask();
  EXPECT_EQ(kid_of(bench.helseid.last()), "kid-2");
  EXPECT_THAT(bench.reloaded, ElementsAre("kid-2"));
}

TEST(KeyFile, ThatIsTouchedOnlyIsNotReloaded) {
  Bench bench;
  bench.ask();
  bench.key_path.write(private_jwk(Kind::p256));
  bench.pass(std::chrono::minutes(1));
  bench.ask();
  EXPECT_TRUE(bench.reloaded.empty());
}

TEST(KeyFile, ThatWasRotatedEmptiesTheCacheOfItsClient) {
  Bench bench;
  bench.ask(test::org_a);
  EXPECT_EQ(shown(bench.ask(test::org_b)), "Bearer token-2");
  bench.key_path.write(private_jwk(Kind::p384, "kid-2"));
  bench.source->drop(test::org_a, {{"Authorization", "Bearer token-1"}});
  EXPECT_EQ(shown(bench.ask(test::org_a)), "Bearer token-3");
  EXPECT_EQ(shown(bench.ask(test::org_b)), "Bearer token-4");
}

TEST(KeyFile, ThatIsHalfWrittenLeavesTheOldKeyInUseAndSaysSoOnce) {
  Bench bench;
  bench.ask();
  bench.key_path.write(private_jwk(Kind::p256, "kid-2").substr(0, 80));
  for (int i = 0; i < 3; ++i) {
    bench.pass(std::chrono::minutes(1));
    EXPECT_TRUE(bench.ask());
  }
  EXPECT_EQ(kid_of(bench.helseid.last()), "kid-1");
  EXPECT_THAT(bench.warnings, ElementsAre(HasSubstr("stays in use")));
  bench.key_path.write(private_jwk(Kind::p256, "kid-2"));
  bench.pass(std::chrono::minutes(1));
  bench.ask();
  EXPECT_EQ(kid_of(bench.helseid.last()), "kid-2");
}

TEST(KeyFile, ThatOthersMayReadIsWarnedOfOnce) {
  Bench bench;
  bench.key_path.mode(0644);
  for (int i = 0; i < 3; ++i) {
    bench.ask();
    bench.pass(std::chrono::minutes(1));
  }
  EXPECT_THAT(bench.warnings, ElementsAre(HasSubstr("mode 0644")));
}

struct Bad {
  std::string says;
  std::function<void(Bench&)> change;
  std::vector<std::string> expected;
};

class StartUp : public testing::TestWithParam<Bad> {};

TEST_P(StartUp, TellsEverythingThatIsWrongAtOnce) {
  Bench bench;
  GetParam().change(bench);
  const auto created = HelseIdTokenSource::create(bench.settings, bench.helseid,
                                                  bench.surroundings(), bench.observer());
  ASSERT_FALSE(created.has_value());
  ASSERT_EQ(created.error().size(), GetParam().expected.size());
  for (std::size_t i = 0; i < created.error().size(); ++i) {
    EXPECT_THAT(created.error()[i].message, HasSubstr(GetParam().expected[i]));
  }
  EXPECT_TRUE(bench.helseid.token_requests().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Faults, StartUp,
    testing::Values(
        Bad{"no_kid",
            [](Bench& b) { b.key_path.write(private_jwk(Kind::rsa, "")); },
            {"lacks \"kid\""}},
        Bad{"wrong_alg", [](Bench& b) { b.settings.alg = "PS256"; }, {"cannot do that"}},
        Bad{"loose_mode",
            [](Bench& b) {
              b.settings.mode_check = ModeCheck::fail;
              b.key_path.mode(0640);
            },
            {"mode 0640"}},
        Bad{"missing_file",
            [](Bench& b) { b.settings.jwk_file = "/nowhere/key"; },
            {"/nowhere/key: cannot be opened"}},
        Bad{"http_issuer",
            [](Bench& b) { b.settings.issuer = "http://helseid.example"; },
            {"auth.issuer"}},
        Bad{"several",
            [](Bench& b) {
              b.settings.issuer = "";
              b.settings.token_endpoint = "ftp://x";
              b.settings.assertion_life = std::chrono::seconds(61);
              b.settings.org_claim = "";
              b.settings.client_id = "";
              b.key_path.write("{}");
            },
            {"auth.issuer", "auth.token_endpoint", "auth.assertion_life_s", "auth.org_claim",
             "auth.client_id", "kty"}}),
    [](const auto& row) { return row.param.says; });

}  // namespace
}  // namespace helsekontakter::helseid

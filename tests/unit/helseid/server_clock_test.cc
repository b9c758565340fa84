#include "adapters/helseid/server_clock.h"

#include "tests/unit/helseid/bench.h"
#include "tests/unit/helseid/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using std::chrono::seconds;

constexpr std::string_view date = "Sun, 22 Nov 2026 12:00:00 GMT";
const WallTime dated =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);

TEST(ServerClock, SeesNoSkewWithinTheSecondThatADateCounts) {
  ServerClock clock(true);
  EXPECT_EQ(clock.observe(date, dated, dated + Milliseconds(900)), Milliseconds(0));
  EXPECT_EQ(clock.observe(date, dated + Milliseconds(900), dated + Milliseconds(990)),
            Milliseconds(0));
}

TEST(ServerClock, SeesTheLeastSkewThatExplainsTheDate) {
  ServerClock clock(true);
  // Ours is behind: at least from the receipt to the date.
  EXPECT_EQ(clock.observe(date, dated - seconds(10), dated - seconds(9)), seconds(9));
  // Ours is ahead: at least from the end of that second to the sending.
  EXPECT_EQ(clock.observe(date, dated + seconds(10), dated + seconds(11)), -seconds(9));
  EXPECT_EQ(clock.observe("yesterday", dated, dated), std::nullopt);
  EXPECT_EQ(clock.observe("", dated, dated), std::nullopt);
}

TEST(ServerClock, CorrectsForwardInFullAndBackByFiveSecondsAtMost) {
  ServerClock clock(true);
  clock.observe(date, dated - seconds(40), dated - seconds(40));
  EXPECT_EQ(clock.corrected(dated), dated + seconds(40));
  clock.observe(date, dated + seconds(4), dated + seconds(4));
  EXPECT_EQ(clock.corrected(dated), dated - seconds(3));
  clock.observe(date, dated + seconds(60), dated + seconds(60));
  EXPECT_EQ(clock.corrected(dated), dated - seconds(5));
}

TEST(ServerClock, OnlyLooksOnUnlessCorrectionIsOn) {
  ServerClock clock(false);
  EXPECT_EQ(clock.observe(date, dated - seconds(40), dated - seconds(40)), seconds(40));
  EXPECT_EQ(clock.corrected(dated), dated);
}

TEST(ServerClock, IsToldToTheObserverAndUsedInAssertions) {
  test::Bench bench;
  bench.settings.clock_correction = true;
  https::Response answer = test::granted("t", 60);
  answer.headers.push_back({"date", "Sun, 22 Nov 2026 12:00:20 GMT"});
  bench.helseid.next(answer);
  bench.ask(test::org_a);
  EXPECT_THAT(bench.skews, testing::ElementsAre(seconds(20)));
  bench.ask(test::org_b);
  const auto iat = [](const https::Request& request) {
    return std::stoll(test::member(test::payload_of(test::assertion_of(request)), "/iat"));
  };
  const auto requests = bench.helseid.token_requests();
  EXPECT_EQ(iat(requests.at(1)), iat(requests.at(0)) + 20);
}

}  // namespace
}  // namespace helsekontakter::helseid

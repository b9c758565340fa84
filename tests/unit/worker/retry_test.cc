#include "tests/unit/worker/notation.h"
#include "worker/retry/backoff.h"
#include "worker/retry/brake.h"
#include "worker/retry/hold.h"
#include "worker/submission/endpoint_health.h"
#include "worker/submission/pace.h"

#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{1'000'000ms};
constexpr Backoff backoff{.first = 500ms, .max = 60'000ms};

struct CeilingCase {
  std::uint32_t failures;
  Milliseconds ceiling;
};

class BackoffCeiling : public testing::TestWithParam<CeilingCase> {};

TEST_P(BackoffCeiling, DoublesUpToItsCap) {
  const auto [failures, ceiling] = GetParam();
  EXPECT_EQ(backoff.ceiling(failures), ceiling);
  Random random(failures);
  for (int i = 0; i < 200; ++i) {
    const Milliseconds wait = backoff.wait(failures, random);
    ASSERT_GE(wait, 0ms);
    ASSERT_LE(wait, ceiling);
  }
}

INSTANTIATE_TEST_SUITE_P(Failures, BackoffCeiling,
                         testing::Values(CeilingCase{0, 500ms}, CeilingCase{1, 500ms},
                                         CeilingCase{2, 1'000ms}, CeilingCase{5, 8'000ms},
                                         CeilingCase{8, 60'000ms},
                                         CeilingCase{4'000'000'000, 60'000ms}));

TEST(Backoff, SpreadsItsWaits) {
  Random random(1);
  Milliseconds least = 1h;
  Milliseconds most = 0ms;
  for (int i = 0; i < 500; ++i) {
    const Milliseconds wait = backoff.wait(5, random);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_LT(least, 400ms);
  EXPECT_GT(most, 7'600ms);
}

TEST(Brake, IsPulledByTooManyInARow) {
  Brake brake({.in_row_max = 3, .share_max = 1});
  EXPECT_FALSE(brake.note(true));
  EXPECT_FALSE(brake.note(true));
  EXPECT_FALSE(brake.note(false));
  EXPECT_FALSE(brake.note(true));
  EXPECT_FALSE(brake.note(true));
  EXPECT_TRUE(brake.note(true));
  EXPECT_TRUE(brake.pulled());
}

TEST(Brake, SaysOnceThatItIsPulledAndStaysSo) {
  Brake brake({.in_row_max = 1, .share_max = 1});
  EXPECT_TRUE(brake.note(true));
  EXPECT_FALSE(brake.note(true));
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(brake.note(false));
  EXPECT_TRUE(brake.pulled());
}

TEST(Brake, LooksAtTheShareOfTheLastThousandOnly) {
  Brake brake({.in_row_max = 1'000'000, .share_max = 0.5});
  for (int i = 0; i < 999; ++i) ASSERT_FALSE(brake.note(i % 4 != 0)) << i;
  EXPECT_TRUE(brake.note(true));
  Brake other({.in_row_max = 1'000'000, .share_max = 0.5});
  for (int i = 0; i < 400; ++i) ASSERT_FALSE(other.note(true));
  for (int i = 0; i < 3'000; ++i) ASSERT_FALSE(other.note(i >= 1'000 && i % 2 == 0)) << i;
}

TEST(Hold, AdmitsOneProbeAtATimeWithGrowingPauses) {
  Hold hold;
  Random random(1);
  EXPECT_TRUE(hold.admits(start));
  EXPECT_TRUE(hold.begin(start, backoff, random));
  EXPECT_FALSE(hold.admits(start));
  const TimePoint first = hold.probe_at();
  EXPECT_GE(first, start + 250ms);
  EXPECT_TRUE(hold.admits(first));
  hold.probe_started();
  EXPECT_FALSE(hold.admits(first + 1h));
  hold.probe_ended();
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(hold.begin(first, backoff, random));
  EXPECT_GE(hold.probe_at(), first + 30s);
  EXPECT_LE(hold.probe_at(), first + 60s);
  EXPECT_TRUE(hold.succeed());
  EXPECT_TRUE(hold.admits(first));
  EXPECT_FALSE(hold.succeed());
}

TEST(Hold, IsNotEndedByAProbeWhenItIsLasting) {
  Hold hold;
  EXPECT_TRUE(hold.begin_lasting(Lasting::brake));
  EXPECT_FALSE(hold.begin_lasting(Lasting::brake));
  EXPECT_FALSE(hold.admits(start + 1h));
  EXPECT_FALSE(hold.succeed());
  EXPECT_TRUE(hold.held());
  EXPECT_FALSE(hold.awaits_probe_time());
}

TEST(Hold, LastsUntilEachOfItsReasonsIsMended) {
  Hold hold;
  EXPECT_TRUE(hold.begin_lasting(Lasting::brake));
  EXPECT_TRUE(hold.begin_lasting(Lasting::by_operator));
  EXPECT_FALSE(hold.end_lasting(Lasting::brake));
  EXPECT_TRUE(hold.held());
  EXPECT_TRUE(hold.end_lasting(Lasting::by_operator));
  EXPECT_TRUE(hold.admits(start));
  EXPECT_FALSE(hold.end_lasting(Lasting::by_operator)) << "it was mended already";
}

TEST(Pace, LetsABurstGoAndThenSoManyASecond) {
  Pace pace(10, 4);
  TimePoint now = start;
  int gone = 0;
  for (; pace.admits(now); ++gone) pace.spend();
  EXPECT_EQ(gone, 4);
  for (const TimePoint end = now + 10s; now < end;) {
    const TimePoint next = pace.next(now);
    ASSERT_GT(next, now);
    now = next;
    ASSERT_TRUE(pace.admits(now));
    pace.spend();
    ++gone;
  }
  EXPECT_NEAR(gone, 104, 6);
}

TEST(Pace, HasNoLimitAtZero) {
  Pace pace(0, 1);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(pace.admits(start));
    pace.spend();
  }
  EXPECT_EQ(pace.next(start), start);
}

TEST(Pace, SavesNoMoreThanItsBurst) {
  Pace pace(10, 2);
  (void)pace.admits(start);
  int gone = 0;
  for (; pace.admits(start + 24h); ++gone) pace.spend();
  EXPECT_EQ(gone, 2);
}

class Health : public testing::Test {
 protected:
  EndpointHealth health_;
  Random random_{1};
};

TEST_F(Health, HoldsAtTheThirdFailureInARow) {
  EXPECT_FALSE(health_.failed(start, backoff, random_));
  EXPECT_FALSE(health_.failed(start, backoff, random_));
  EXPECT_FALSE(health_.succeeded(false));
  EXPECT_FALSE(health_.failed(start, backoff, random_));
  EXPECT_FALSE(health_.failed(start, backoff, random_));
  EXPECT_TRUE(health_.failed(start, backoff, random_));
  EXPECT_FALSE(health_.admits(start));
  EXPECT_FALSE(health_.succeeded(false)) << "only a probe ends it";
  EXPECT_TRUE(health_.succeeded(true));
  EXPECT_TRUE(health_.admits(start));
}

TEST_F(Health, HoldsAtOnceWhenNothingCanBeSent) {
  EXPECT_TRUE(health_.unreachable(start, backoff, random_));
  EXPECT_FALSE(health_.admits(start));
  EXPECT_FALSE(health_.unreachable(start, backoff, random_));
}

TEST_F(Health, HoldsAtTheThirdUnreadableAnswer) {
  EXPECT_FALSE(health_.unreadable(start, backoff, random_));
  EXPECT_FALSE(health_.unreadable(start, backoff, random_));
  EXPECT_TRUE(health_.unreadable(start, backoff, random_));
}

TEST_F(Health, HoldsWhenThreeOrganisationsAreRefusedWithinAMinute) {
  const auto refuse = [&](const char* name, TimePoint now) {
    return health_.refused(test::organization(name), now, backoff, random_);
  };
  EXPECT_FALSE(refuse("sio", start));
  EXPECT_FALSE(refuse("sio", start + 1s));
  EXPECT_FALSE(refuse("sio", start + 2s));
  EXPECT_FALSE(refuse("sit", start + 3s));
  EXPECT_FALSE(refuse("sammen", start + 63s));
  EXPECT_TRUE(refuse("o1", start + 62s));
}

TEST_F(Health, PausesUntilTheTimeItWasGiven) {
  health_.pause(start + 5s);
  health_.pause(start + 2s);
  EXPECT_FALSE(health_.admits(start + 4'999ms));
  EXPECT_EQ(health_.opens_at(), start + 5s);
  EXPECT_TRUE(health_.admits(start + 5s));
  EXPECT_FALSE(health_.held());
}

TEST_F(Health, TellsThatOnlyTheEndOfAProbeOpensIt) {
  (void)health_.unreachable(start, backoff, random_);
  EXPECT_FALSE(health_.awaits_probe_end());
  health_.probe_started();
  EXPECT_TRUE(health_.awaits_probe_end());
  EXPECT_FALSE(health_.admits(start + 1h));
}

}  // namespace
}  // namespace helsekontakter

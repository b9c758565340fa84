#include "adapters/tools/control.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

constexpr WallTime now{Milliseconds{1'773'572'400'000}};
const auto organization = OrganizationNumber::parse("948554062");

TEST(Control, SaysWhatEachActionStandsFor) {
  EXPECT_EQ(fact_of({.action = "hold", .why = "a fault"}, organization, now),
            SharedFact(SharedHold{organization, true, true, now, "a fault"}));
  EXPECT_EQ(fact_of({.action = "resume", .why = "a fault"}, std::nullopt, now),
            SharedFact(SharedHold{std::nullopt, true, false, now, ""}));
  EXPECT_EQ(fact_of({.action = "release-brake"}, organization, now),
            SharedFact(SharedBrake{organization, false, now}));
  EXPECT_EQ(fact_of({.action = "retry-now"}, std::nullopt, now),
            SharedFact(SharedRetryNow{std::nullopt, now}));
  EXPECT_FALSE(fact_of({.action = "stop"}, organization, now));
}

TEST(Control, KeepsIdentityNumbersOutOfTheReason) {
  const auto fact = fact_of({.action = "hold", .why = "see 13116900216"}, organization, now);
  ASSERT_TRUE(fact);
  EXPECT_EQ(std::get<SharedHold>(*fact).why, "see ***********");
}

}  // namespace
}  // namespace helsekontakter::tools

#include "adapters/amqp/credit.h"

#include <gtest/gtest.h>

namespace helsekontakter::amqp::test {
namespace {

TEST(CreditWindow, GrantsAllPlacesWhileMessagesAreSmall) {
  CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(0), 1000u);
}

TEST(CreditWindow, GrantsInPortionsNotOneByOne) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(999), 0u);
  EXPECT_EQ(window.to_grant(751), 0u);
  EXPECT_EQ(window.to_grant(750), 250u);
}

TEST(CreditWindow, GrantsNothingWhenMoreIsHeldThanThereIsRoomFor) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(1000), 0u);
  EXPECT_EQ(window.to_grant(5000), 0u);
}

TEST(CreditWindow, GrantsNoMoreThanThereIsRoomFor) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_add(0, 0, 300), 300u);
  EXPECT_EQ(window.to_add(200, 0, 300), 100u);
  EXPECT_EQ(window.to_add(300, 0, 300), 0u);
  EXPECT_EQ(window.to_add(400, 0, 300), 0u);
  EXPECT_EQ(window.to_add(0, 1000, 5000), 0u) << "all places are taken";
  EXPECT_EQ(window.to_add(-700, 0, 0), 0u) << "too much came: first it must go";
}

TEST(CreditWindow, LeavesALinkThatIsInDebtWithCredit) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_add(-1048, 0, 5000), 1000u + 1048u);
  EXPECT_EQ(window.to_add(-1048, 0, 300), 300u + 1048u);
}

TEST(CreditWindow, ShrinksAtOnceWhenALargeMessageComes) {
  CreditWindow window(1000, 10'000'000);
  window.received(1'000'000);
  EXPECT_EQ(window.places(), 10u);
}

TEST(CreditWindow, GrowsSlowlyWhenSmallOnesFollow) {
  CreditWindow window(1000, 10'000'000);
  window.received(1'000'000);
  window.received(1000);
  EXPECT_LT(window.places(), 12u);
  for (int i = 0; i < 200; ++i) window.received(1000);
  EXPECT_EQ(window.places(), 1000u);
}

TEST(CreditWindow, AlwaysLeavesOnePlace) {
  CreditWindow window(1000, 1000);
  window.received(5'000'000);
  EXPECT_EQ(window.places(), 1u);
  EXPECT_EQ(window.to_grant(0), 1u);
}

}  // namespace
}  // namespace helsekontakter::amqp::test

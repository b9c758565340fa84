#include "adapters/amqp/credit.h"

#include <gtest/gtest.h>

namespace helsekontakter::amqp::test {
namespace {

constexpr std::size_t plenty = 50'000;

TEST(CreditWindow, GrantsAllPlacesWhileMessagesAreSmall) {
  CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(0, 0, plenty), 1000u);
}

TEST(CreditWindow, GrantsInPortionsNotOneByOne) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(999, 999, plenty), 0u);
  EXPECT_EQ(window.to_grant(751, 751, plenty), 0u);
  EXPECT_EQ(window.to_grant(750, 750, plenty), 250u);
}

TEST(CreditWindow, GrantsNoMoreThanMayBeOpenAndThatInPortionsToo) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(0, 4'600, 5'000), 400u);
  EXPECT_EQ(window.to_grant(0, 4'750, 5'000), 250u);
  EXPECT_EQ(window.to_grant(0, 4'751, 5'000), 0u);
  EXPECT_EQ(window.to_grant(0, 5'001, 5'000), 0u);
}

TEST(CreditWindow, FillsASmallLimitToo) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(0, 0, 10), 10u);
  EXPECT_EQ(window.to_grant(7, 7, 10), 3u);
  EXPECT_EQ(window.to_grant(8, 8, 10), 0u);
}

TEST(CreditWindow, GrantsNothingWhenMoreIsHeldThanThereIsRoomFor) {
  const CreditWindow window(1000, 1 << 24);
  EXPECT_EQ(window.to_grant(1000, 1000, plenty), 0u);
  EXPECT_EQ(window.to_grant(5000, 5000, plenty), 0u);
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
  EXPECT_EQ(window.to_grant(0, 0, plenty), 1u);
}

}  // namespace
}  // namespace helsekontakter::amqp::test

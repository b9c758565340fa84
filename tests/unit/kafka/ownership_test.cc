#include "adapters/kafka/ownership.h"

#include <chrono>

#include <gtest/gtest.h>

namespace helsekontakter::kafka {
namespace {

using namespace std::chrono_literals;
using Clocks = CoordinatorContact::Clocks;

constexpr Clocks start{.boot = 1000s, .real = 5000s};

Clocks after(CoordinatorContact::Duration boot, CoordinatorContact::Duration real) {
  return {.boot = start.boot + boot, .real = start.real + real};
}

class CoordinatorContactTest : public ::testing::Test {
 protected:
  CoordinatorContactTest() {
    contact.turned(start);
    contact.heard(start, 2s);
  }
  CoordinatorContact contact{10s};
};

TEST_F(CoordinatorContactTest, IsRecentUntilTheSilenceIsTooLong) {
  contact.turned(after(8s, 8s));
  EXPECT_TRUE(contact.is_recent(after(8s, 8s)));
  EXPECT_FALSE(contact.is_recent(after(8001ms, 8001ms)));
}

TEST_F(CoordinatorContactTest, IsNotRecentBeforeAnythingWasHeard) {
  contact.reset();
  EXPECT_FALSE(contact.is_recent(start));
}

TEST_F(CoordinatorContactTest, CountsSuspendedTime) {
  EXPECT_FALSE(contact.is_recent(after(9s, 0s)));
}

TEST_F(CoordinatorContactTest, SeesALeapOfCivilTime) {
  EXPECT_FALSE(contact.is_recent(after(0s, 9s)));
}

TEST_F(CoordinatorContactTest, IsNotDisturbedByCivilTimeSetBack) {
  EXPECT_TRUE(contact.is_recent(after(1s, -3600s)));
}

TEST_F(CoordinatorContactTest, WantsANewWordAfterAFreeze) {
  contact.turned(after(11s, 11s));
  contact.heard(after(11s, 11s), 12s);  // statistics from before the freeze
  EXPECT_FALSE(contact.is_recent(after(11s, 11s)));
  contact.heard(after(12s, 12s), 1s);
  EXPECT_TRUE(contact.is_recent(after(12s, 12s)));
}

TEST_F(CoordinatorContactTest, StopsWhenTheLoopNoLongerTurns) {
  contact.heard(after(11s, 11s), 0s);
  EXPECT_FALSE(contact.is_recent(after(11s, 11s)));
}

class OwnershipTest : public ::testing::Test {
 protected:
  using Share = std::pair<Partition, Epoch>;

  OwnershipTest() {
    ownership.turned();
    ownership.heard(0us);
    ownership.take(Partition{0}, Epoch{3}, 10, metadata);
  }
  bool ours(std::vector<Share> shares) const { return ownership.still_ours(shares); }
  static Progress progress(int partition, std::uint64_t epoch, Offset committed = 0) {
    return {Partition{partition}, Epoch{epoch}, committed, {}};
  }

  Ownership ownership{"changes", 1h};
  Ownership::Metadata metadata =
      std::make_shared<const GroupMetadata>(rd_kafka_consumer_group_metadata_new("group"));
};

TEST_F(OwnershipTest, IsClaimedUnderThePresentEpochOnly) {
  EXPECT_TRUE(ours({{Partition{0}, Epoch{3}}}));
  EXPECT_FALSE(ours({{Partition{0}, Epoch{2}}}));
  EXPECT_FALSE(ours({{Partition{0}, Epoch{3}}, {Partition{1}, Epoch{3}}}));
}

TEST_F(OwnershipTest, BeginsNoRequestForWhatIsLetGoButStillRecords) {
  ownership.leave(Partition{0});
  EXPECT_FALSE(ours({{Partition{0}, Epoch{3}}}));
  EXPECT_EQ(ownership.metadata_for(std::vector{progress(0, 3)}), metadata);
}

TEST_F(OwnershipTest, GivesNoMetadataForWhatIsGone) {
  EXPECT_EQ(ownership.metadata_for(std::vector{progress(0, 2)}), nullptr);
  ownership.drop(Partition{0});
  EXPECT_EQ(ownership.metadata_for(std::vector{progress(0, 3)}), nullptr);
}

TEST_F(OwnershipTest, GivesNoMetadataAcrossTwoAssignments) {
  ownership.take(
      Partition{1}, Epoch{4}, 0,
      std::make_shared<const GroupMetadata>(rd_kafka_consumer_group_metadata_new("group")));
  EXPECT_EQ(ownership.metadata_for(std::vector{progress(0, 3), progress(1, 4)}), nullptr);
}

TEST_F(OwnershipTest, RemembersWhatIsDurable) {
  ownership.committed(std::vector{progress(0, 3, 25), progress(1, 3, 7)});
  EXPECT_EQ(ownership.committed(Partition{0}), 25);
  EXPECT_EQ(ownership.committed(Partition{1}), std::nullopt);
}

TEST_F(OwnershipTest, IsNotBelievedWithoutTheCoordinator) {
  ownership.forget_contact();
  EXPECT_FALSE(ours({{Partition{0}, Epoch{3}}}));
}

}  // namespace
}  // namespace helsekontakter::kafka

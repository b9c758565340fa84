#include "adapters/kafka/assignment.h"

#include "worker/ordering/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Partition p0{0};
constexpr Partition p1{1};

/// An assignment of two partitions, the first of which is read from offset 5.
class AssignmentTest : public ::testing::Test {
 protected:
  AssignmentTest() {
    assignment.begin(std::vector{p0, p1});
    epoch = assignment.restore(p0, {.committed = 5, .first = 0, .end = 9}, 2).assigned->epoch;
  }

  Assignment assignment{"changes", Start::earliest};
  Epoch epoch{};
};

/// Submitted up to 9, of which 5 is committed.
std::string mark_of(bool clean) {
  return encode({.concluded = {}, .submitted_to = 9, .clean = clean, .unsettled = false}, 5);
}

TEST(StaticMember, WaitsOutTheRequestsOfTheProcessBeforeIt) {
  for (const bool is_static : {false, true}) {
    for (const bool clean : {false, true}) {
      Assignment assignment("changes", Start::earliest, is_static);
      const Bounds bounds{.committed = 5, .metadata = mark_of(clean), .first = 0, .end = 9};
      assignment.begin(std::vector{p0});
      const auto first = assignment.restore(p0, bounds, 1);
      EXPECT_EQ(decode(first.assigned->metadata, 5)->unsettled, is_static && !clean);
      assignment.begin(std::vector{p0});
      const auto again = assignment.restore(p0, bounds, 1);
      EXPECT_FALSE(decode(again.assigned->metadata, 5)->unsettled) << "its own requests it knows";
    }
  }
}

TEST_F(AssignmentTest, TellsTheCoreWhereItsReadingBegins) {
  const auto restored =
      assignment.restore(p1, {.committed = 7, .metadata = "m", .first = 3, .end = 12}, 2);
  ASSERT_TRUE(restored.assigned);
  EXPECT_EQ(restored.assigned->committed, 7);
  EXPECT_EQ(restored.assigned->metadata, "m");
  EXPECT_EQ(restored.assigned->end, 12);
  EXPECT_EQ(restored.assigned->partitions_total, 2u);
  EXPECT_GT(restored.assigned->epoch, epoch);
}

TEST_F(AssignmentTest, AnswersNothingForAPartitionThatIsReadAlready) {
  const auto restored = assignment.restore(p0, {.committed = 7, .first = 3, .end = 12}, 2);
  EXPECT_FALSE(restored.assigned);
  EXPECT_EQ(assignment.find(p0)->next, 5);
}

struct StartCase {
  Start start;
  Offset begins;
};
class StartTest : public ::testing::TestWithParam<StartCase> {};

TEST_P(StartTest, AppliesOnlyWhileThereIsNeitherAnOffsetNorALedger) {
  const Partition p2{2};
  Assignment assignment("changes", GetParam().start);
  assignment.begin(std::vector{p0, p1, p2});
  EXPECT_EQ(assignment.restore(p0, {.first = 3, .end = 12}, 2).assigned->committed,
            GetParam().begins);
  EXPECT_EQ(assignment.restore(p1, {.committed = 7, .first = 3, .end = 12}, 2).assigned->committed,
            7);
  const Bounds lost{.first = 3, .end = 12, .known_to_ledger = true};
  const auto held = assignment.restore(p2, lost, 2);
  EXPECT_FALSE(held.assigned);
  EXPECT_TRUE(held.newly_held);
  EXPECT_THAT(held.hold,
              HasSubstr("changes/2: the ledger knows members of it, but the group has no "
                        "committed offset"));
  EXPECT_FALSE(assignment.restore(p2, lost, 2).newly_held);
  EXPECT_EQ(assignment.restore(p2, {.committed = 5, .first = 3, .end = 12}, 2).assigned->committed,
            5);
}

INSTANTIATE_TEST_SUITE_P(Both, StartTest,
                         ::testing::Values(StartCase{Start::earliest, 3},
                                           StartCase{Start::latest, 12}));

struct BoundsCase {
  Offset committed;
  bool held;
  std::string says;
};
class BoundsTest : public ::testing::TestWithParam<BoundsCase> {};

TEST_P(BoundsTest, DecideWhetherAPartitionIsHeld) {
  Assignment assignment("changes", Start::earliest);
  assignment.begin(std::vector{p0});
  const auto restored =
      assignment.restore(p0, {.committed = GetParam().committed, .first = 10, .end = 20}, 1);
  EXPECT_EQ(restored.newly_held, GetParam().held);
  EXPECT_EQ(restored.assigned.has_value(), !GetParam().held);
  EXPECT_THAT(restored.hold, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Edges, BoundsTest,
    ::testing::Values(BoundsCase{9, true, "changes/0: the events from offset 9 to 9 were deleted"},
                      BoundsCase{10, false, ""}, BoundsCase{20, false, ""},
                      BoundsCase{21, true, "the committed offset 21 lies beyond the end 20"}));

TEST_F(AssignmentTest, HoldsOnceAndReadsAgainWhenTheOffsetIsMended) {
  EXPECT_TRUE(assignment.restore(p1, {.committed = 1, .first = 4, .end = 9}, 2).newly_held);
  EXPECT_FALSE(assignment.restore(p1, {.committed = 1, .first = 4, .end = 9}, 2).newly_held);
  EXPECT_THAT(assignment.in(Assignment::State::held), ::testing::ElementsAre(p1));
  EXPECT_EQ(assignment.restore(p1, {.committed = 4, .first = 4, .end = 9}, 2).assigned->committed,
            4);
}

struct CountCase {
  std::uint32_t ledger;
  std::uint32_t input;
  bool held;
};
class CountTest : public ::testing::TestWithParam<CountCase> {};

TEST_P(CountTest, OfTheInputMustBeThatOfTheLedger) {
  const auto& [ledger, input, held] = GetParam();
  Assignment assignment("changes", Start::earliest, false, ledger);
  assignment.begin(std::vector{p0, p1});
  for (const Partition partition : {p0, p1}) {
    const auto restored =
        assignment.restore(partition, {.committed = 5, .first = 0, .end = 9}, input);
    EXPECT_EQ(restored.newly_held, held);
    EXPECT_EQ(restored.assigned.has_value(), !held);
    if (held) {
      EXPECT_THAT(restored.hold, HasSubstr("changes has 3 partitions and the ledger 2: keys have"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, CountTest,
                         ::testing::Values(CountCase{2, 2, false}, CountCase{2, 3, true},
                                           CountCase{0, 3, false}));

TEST(Count, OfABrokerThatHasNotHeardOfANewPartitionIsNotBelieved) {
  Assignment assignment("changes", Start::earliest, false, 1);
  assignment.begin(std::vector{p0, p1});
  const auto restored = assignment.restore(p0, {.committed = 5, .first = 0, .end = 9}, 1);
  EXPECT_THAT(restored.hold, HasSubstr("changes has 2 partitions and the ledger 1"));
}

TEST_F(AssignmentTest, RevokesWhatTheCoreKnowsAndForgetsTheRest) {
  const auto inputs = assignment.revoke();
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_EQ(std::get<Revoked>(inputs[0]).epoch, epoch);
  EXPECT_EQ(assignment.find(p1), nullptr);
  EXPECT_TRUE(assignment.is_revoking());
}

TEST_F(AssignmentTest, IsReleasedUnderItsOwnEpochOnly) {
  ASSERT_THAT(assignment.revoke(), SizeIs(1));
  EXPECT_FALSE(assignment.release(p0, Epoch{99}));
  EXPECT_TRUE(assignment.is_revoking());
  EXPECT_TRUE(assignment.release(p0, epoch));
  EXPECT_FALSE(assignment.is_revoking());
}

TEST_F(AssignmentTest, IsNotReleasedBeforeItIsRevoked) {
  EXPECT_FALSE(assignment.release(p0, epoch));
  EXPECT_NE(assignment.find(p0), nullptr);
}

TEST_F(AssignmentTest, LosesWhatTheCoreKnows) {
  const auto inputs = assignment.lose();
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_EQ(std::get<Lost>(inputs[0]).partition, p0);
  EXPECT_THAT(assignment.parts(), IsEmpty());
}

TEST_F(AssignmentTest, IsReadAnewUnderALaterEpoch) {
  const auto inputs = assignment.reread(std::vector{p0, p1, Partition{7}});
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_EQ(std::get<Lost>(inputs[0]).epoch, epoch);
  const auto again = assignment.restore(p0, {.committed = 5, .first = 0, .end = 9}, 2);
  EXPECT_GT(again.assigned->epoch, epoch);
}

TEST_F(AssignmentTest, DoesNotReadAnewWhatItIsToLetGo) {
  ASSERT_THAT(assignment.revoke(), SizeIs(1));
  EXPECT_THAT(assignment.reread(std::vector{p0}), SizeIs(1));
  EXPECT_FALSE(assignment.is_revoking());
  EXPECT_EQ(assignment.find(p0), nullptr);
}

TEST_F(AssignmentTest, TellsAPositionOnce) {
  EXPECT_TRUE(assignment.reach(p0, 8));
  EXPECT_FALSE(assignment.reach(p0, 8));
  EXPECT_EQ(assignment.find(p0)->next, 8);
  EXPECT_FALSE(assignment.reach(p1, 8)) << "the core does not know of it";
}

}  // namespace
}  // namespace helsekontakter::kafka

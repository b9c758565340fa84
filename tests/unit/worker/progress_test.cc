#include "worker/ordering/progress.h"

#include "worker/domain/ensure.h"
#include "worker/domain/random.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::size_t usual = 4'096;

ProgressMark fresh(Offset committed) {
  ProgressMark mark;
  mark.submitted_to = committed;
  return mark;
}

TEST(PartitionProgress, CommitsWhatIsConcludedWithoutAGap) {
  PartitionProgress progress(10, fresh(10), usual);
  for (Offset offset = 10; offset < 14; ++offset) EXPECT_TRUE(progress.receive(offset));
  progress.conclude(11);
  progress.conclude(13);
  EXPECT_EQ(progress.committed(), 10);
  EXPECT_THAT(progress.mark(14).concluded, ElementsAre(Pair(11, 12), Pair(13, 14)));
  progress.conclude(10);
  EXPECT_EQ(progress.committed(), 12);
  EXPECT_THAT(progress.mark(14).concluded, ElementsAre(Pair(13, 14)));
}

TEST(PartitionProgress, TakesOffsetsThatDoNotExistAsConcluded) {
  PartitionProgress progress(0, fresh(0), usual);
  EXPECT_TRUE(progress.receive(5));
  EXPECT_EQ(progress.committed(), 5);
  progress.conclude(5);
  progress.reach(9);
  EXPECT_EQ(progress.committed(), 9);
}

TEST(PartitionProgress, DropsWhatWasConcludedBeforeOrIsHereAlready) {
  ProgressMark mark = fresh(100);
  mark.concluded = {{102, 104}};
  PartitionProgress progress(100, mark, usual);
  EXPECT_TRUE(progress.receive(100));
  EXPECT_TRUE(progress.receive(101));
  EXPECT_FALSE(progress.receive(101));
  EXPECT_FALSE(progress.receive(102));
  EXPECT_FALSE(progress.receive(103));
  EXPECT_TRUE(progress.receive(104));
  EXPECT_EQ(progress.unconcluded(), 3u);
  progress.conclude(100);
  progress.conclude(101);
  EXPECT_EQ(progress.committed(), 104);
}

TEST(PartitionProgress, RefusesToConcludeTwice) {
  PartitionProgress progress(0, fresh(0), usual);
  (void)progress.receive(0);
  (void)progress.receive(1);
  progress.conclude(1);
  EXPECT_THROW(progress.conclude(1), ProgrammerError);
  EXPECT_THROW(progress.conclude(2), ProgrammerError);
}

TEST(PartitionProgress, AdmitsNothingThatItsMarkCouldNotHold) {
  PartitionProgress progress(0, fresh(0), 100);
  Offset next = 0;
  while (next < 10'000 && progress.admits(next)) (void)progress.receive(next++);
  EXPECT_GT(next, 100);
  EXPECT_LT(next, 10'000);
  for (Offset offset = 1; offset < next; offset += 2) progress.conclude(offset);
  EXPECT_LE(encode(progress.mark(next), progress.committed()).size(), 100u);
  progress.conclude(0);
  EXPECT_TRUE(progress.admits(next));
}

TEST(PartitionProgress, ReachesNoFartherThanItsMarkCanHold) {
  PartitionProgress progress(0, fresh(0), 100);
  Offset next = 0;
  while (next < 10'000 && progress.admits(next)) (void)progress.receive(next++);
  for (Offset offset = 1; offset < next; offset += 2) progress.conclude(offset);
  progress.reach(next + 5'000);
  EXPECT_LE(encode(progress.mark(next), progress.committed()).size(), 100u);
  for (Offset offset = 0; offset < next; offset += 2) progress.conclude(offset);
  progress.reach(next + 5'000);
  EXPECT_EQ(progress.committed(), next + 5'000);
}

TEST(PartitionProgress, PromisesNothingThatTheNextOwnerCouldNotAdmit) {
  PartitionProgress progress(0, fresh(0), 100);
  (void)progress.receive(0);
  const Offset promised = progress.promisable(1'000'000);
  EXPECT_EQ(progress.promisable(64), 65);
  PartitionProgress next(0, fresh(0), 100);
  for (Offset offset = 0; offset < promised; ++offset) {
    ASSERT_TRUE(next.admits(offset)) << offset;
    (void)next.receive(offset);
  }
}

/// A seed's worth of receiving and concluding in any order, with everything carried over to a new
/// owner now and then; a set of offsets is the oracle.
class PartitionProgressBySeed : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PartitionProgressBySeed, CarriesEverythingOverAndStaysWithinTheLimit) {
  Random random(GetParam());
  const std::size_t characters = 80 + random.up_to(800);
  Offset committed = static_cast<Offset>(random.up_to(1'000'000'000));
  PartitionProgress progress(committed, fresh(committed), characters);
  std::set<Offset> open;
  std::set<Offset> done;
  Offset next = committed;
  for (int step = 0; step < 3'000; ++step) {
    const Offset gap = random.up_to(20) == 0 ? static_cast<Offset>(random.up_to(40)) : 0;
    if (random.up_to(2) != 0 && progress.admits(next + gap)) {
      next += gap;
      if (progress.receive(next)) open.insert(next);
      ++next;
    } else if (!open.empty() && random.up_to(3) != 0) {
      auto one = open.lower_bound(*open.begin() + static_cast<Offset>(random.up_to(100)));
      if (one == open.end()) one = open.begin();
      progress.conclude(*one);
      done.insert(*one);
      open.erase(one);
    }
    if (random.up_to(200) == 0) progress.reach(next);
    const std::string text = encode(progress.mark(next), progress.committed());
    ASSERT_LE(text.size(), characters);
    ASSERT_LE(progress.committed(), open.empty() ? next : *open.begin());
    if (random.up_to(300) != 0) continue;
    committed = progress.committed();
    const auto mark = decode(text, committed);
    ASSERT_TRUE(mark);
    EXPECT_GE(mark->submitted_to, committed);
    progress = PartitionProgress(committed, *mark, characters);
    const std::set<Offset> before = std::move(open);
    open.clear();
    for (Offset offset = committed; offset < next; ++offset) {
      const bool known = before.contains(offset) || done.contains(offset);
      if (!known) continue;
      ASSERT_TRUE(progress.admits(offset));
      if (progress.receive(offset)) open.insert(offset);
    }
    ASSERT_EQ(open, before);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PartitionProgressBySeed, testing::Range<std::uint64_t>(1, 40));

TEST(ProgressMark, SurvivesTheWayThroughText) {
  ProgressMark mark;
  mark.concluded = {{1'001, 1'002}, {1'010, 9'000}, {5'000'000'000, 5'000'000'001}};
  mark.submitted_to = 5'000'000'100;
  mark.unsettled = true;
  const auto read = decode(encode(mark, 1'000), 1'000);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->concluded, mark.concluded);
  EXPECT_EQ(read->submitted_to, mark.submitted_to);
  EXPECT_TRUE(read->unsettled);
  EXPECT_FALSE(read->clean);
}

TEST(ProgressMark, WritesEveryOtherOffsetAsABitmap) {
  ProgressMark mark = fresh(0);
  for (Offset offset = 1; offset < 2'000; offset += 2)
    mark.concluded.emplace_back(offset, offset + 1);
  const std::string text = encode(mark, 0);
  EXPECT_LT(text.size(), 2'000u / 6 + 40);
  EXPECT_EQ(decode(text, 0)->concluded, mark.concluded);
}

class DamagedMark : public testing::TestWithParam<std::string> {};

TEST_P(DamagedMark, GivesNothing) {
  EXPECT_FALSE(decode(GetParam(), 0));
}

INSTANTIATE_TEST_SUITE_P(Texts, DamagedMark,
                         testing::Values("", "A", "AAAAAAAA", "AgAAAAAA", "not base64url!",
                                         "====", "AQAA", "AQAA_w", "AQAAAAAB",
                                         "AQAAAP__________________w"));

TEST(ProgressMark, GivesNothingForAnotherOffsetThanItsOwn) {
  const std::string text = encode(fresh(7), 7);
  EXPECT_TRUE(decode(text, 7));
  EXPECT_FALSE(decode(text, 8));
}

TEST(ProgressMark, ReadsNothingWildFromTextsOfChance) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    std::string text = "AQ";
    for (std::uint64_t left = random.up_to(30); left > 0; --left) {
      text += alphabet[random.up_to(63)];
    }
    const auto mark = decode(text, 0);
    if (!mark) continue;
    ASSERT_GE(mark->submitted_to, 0);
    Offset last = -1;
    for (const auto& [from, to] : mark->concluded) {
      ASSERT_GT(from, last) << text;
      ASSERT_GT(to, from) << text;
      last = to;
    }
  }
}

}  // namespace
}  // namespace helsekontakter

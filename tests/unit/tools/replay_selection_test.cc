#include "adapters/tools/replay_selection.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

const kafka::Stretches stretches{{Partition{0}, {100, 200}}, {Partition{1}, {0, 10}}};

MemberKey key(std::uint8_t number) {
  MemberKey key;
  key.bytes[0] = number;
  return key;
}

Position at(std::int32_t partition, Offset offset) {
  return {Partition{partition}, offset};
}

/// "partition:offset …" of what is chosen.
std::string chosen(const ReplaySelection& selection) {
  std::string text;
  for (const auto& [partition, stretch] : stretches) {
    for (Offset offset = stretch.from; offset < stretch.to; ++offset) {
      if (!selection.is_chosen({partition, offset})) continue;
      text += (text.empty() ? "" : " ") + std::to_string(static_cast<std::int32_t>(partition)) +
              ":" + std::to_string(offset);
    }
  }
  return text;
}

TEST(ReplaySelection, ChoosesTheNewestVersionOfEachKey) {
  ReplaySelection selection(stretches, false);
  ASSERT_TRUE(selection.offer(key(1), 5, at(0, 100)));
  ASSERT_TRUE(selection.offer(key(1), 7, at(0, 110)));
  ASSERT_TRUE(selection.offer(key(1), 6, at(0, 120)));
  ASSERT_TRUE(selection.offer(key(2), 1, at(1, 3)));
  ASSERT_TRUE(selection.decide());
  EXPECT_EQ(chosen(selection), "0:110 1:3");
  EXPECT_EQ(selection.chosen(), 2);
}

TEST(ReplaySelection, ChoosesTheLaterOfEqualVersions) {
  ReplaySelection selection(stretches, false);
  ASSERT_TRUE(selection.offer(key(1), 5, at(0, 101)));
  ASSERT_TRUE(selection.offer(key(1), 5, at(0, 100)));
  ASSERT_TRUE(selection.decide());
  EXPECT_EQ(chosen(selection), "0:101");
}

TEST(ReplaySelection, LeavesOutWhatItHasSentBefore) {
  ReplaySelection selection(stretches, false);
  ASSERT_TRUE(selection.offer(key(1), 5, at(0, 100)));
  ASSERT_TRUE(selection.offer(key(2), 5, at(0, 101)));
  ASSERT_TRUE(selection.leave_out(key(1)));
  ASSERT_TRUE(selection.leave_out(key(1)));
  ASSERT_TRUE(selection.decide());
  EXPECT_EQ(chosen(selection), "0:101");
  EXPECT_EQ(selection.done(), 1);
}

TEST(ReplaySelection, ChoosesByTheLastVerdict) {
  ReplaySelection selection(stretches, true);
  ASSERT_TRUE(selection.offer(key(1), 5, at(0, 100)));
  ASSERT_TRUE(selection.offer(key(2), 5, at(0, 101)));
  ASSERT_TRUE(selection.offer(key(2), 6, at(0, 102)));
  ASSERT_TRUE(selection.offer(key(3), 1, at(1, 1)));
  ASSERT_TRUE(selection.select(key(2)));
  ASSERT_TRUE(selection.select(key(3)));
  ASSERT_TRUE(selection.leave_out(key(3)));
  ASSERT_TRUE(selection.select(key(4)));  // nothing of it is in the stretch
  ASSERT_TRUE(selection.decide());
  EXPECT_EQ(chosen(selection), "0:102");
}

TEST(ReplaySelection, ReadsNoMoreThanFromTheFirstToTheLastChosen) {
  ReplaySelection selection(stretches, false);
  ASSERT_TRUE(selection.offer(key(1), 5, at(0, 120)));
  ASSERT_TRUE(selection.offer(key(2), 5, at(0, 140)));
  ASSERT_TRUE(selection.decide());
  EXPECT_EQ(selection.narrowed(), (kafka::Stretches{{Partition{0}, {120, 141}}}));
}

}  // namespace
}  // namespace helsekontakter::tools

#include "adapters/tools/stretch_marks.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr WallTime now{1'773'572'400'000ms};

/// A topic of two partitions: 0 holds offsets 10 to 99, 1 all from 0 to 49.
TopicFacts facts() {
  return {.topic = "changes",
          .bounds = {{Partition{0}, {10, 100}}, {Partition{1}, {0, 50}}},
          .at_from = {{Partition{0}, 40}, {Partition{1}, 20}},
          .at_to = {{Partition{0}, 60}, {Partition{1}, 20}},
          .retention = std::chrono::hours(24),
          .now = now};
}

Mark mark(std::string_view text) {
  auto parsed = parse_mark("--from", text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Mark{});
}

/// "partition:from-to …", or what was said.
std::string resolved(std::string_view from, std::string_view to,
                     const TopicFacts& known = facts()) {
  const auto stretches = resolve(mark(from), mark(to), known);
  if (!stretches) return stretches.error().message;
  std::string text;
  for (const auto& [partition, stretch] : *stretches) {
    text += (text.empty() ? "" : " ") + std::to_string(static_cast<std::int32_t>(partition)) + ":" +
            std::to_string(stretch.from) + "-" + std::to_string(stretch.to);
  }
  return text;
}

TEST(Marks, AreTimesOffsetsAndTheEndsOfTheTopic) {
  EXPECT_EQ(std::get<WallTime>(mark("2026-03-15T12:00:00+01:00")), now);
  EXPECT_EQ(std::get<kafka::Offsets>(mark("0:12,7:0")),
            (kafka::Offsets{{Partition{0}, 12}, {Partition{7}, 0}}));
  EXPECT_TRUE(std::holds_alternative<Earliest>(mark("earliest")));
  EXPECT_TRUE(std::holds_alternative<Latest>(mark("latest")));
}

TEST(Marks, AreNothingElse) {
  for (const std::string_view text :
       {"", "yesterday", "2026-03-15", "12", "0:", ":1", "0:1,", "0:-1", "0:1,0:2", "0:1;1:2",
        "0x1:2", "2026-03-15T12:00:00"}) {
    const auto parsed = parse_mark("--to", text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("--to"));
  }
}

TEST(Stretches, RunFromMarkToMark) {
  EXPECT_EQ(resolved("earliest", "latest"), "0:10-100 1:0-50");
  EXPECT_EQ(resolved("2026-03-15T11:00:00Z", "2026-03-15T11:30:00Z"), "0:40-60 1:20-20");
  EXPECT_EQ(resolved("0:15", "latest"), "0:15-100");
  EXPECT_EQ(resolved("0:15,1:3", "0:20,1:3"), "0:15-20 1:3-3");
  EXPECT_EQ(resolved("latest", "latest"), "0:100-100 1:50-50");
}

TEST(Stretches, AreSaidAgainAsOffsets) {
  const auto stretches = resolve(mark("earliest"), mark("latest"), facts());
  ASSERT_TRUE(stretches);
  EXPECT_EQ(begins_text(*stretches), "0:10,1:0");
  EXPECT_EQ(ends_text(*stretches), "0:100,1:50");
}

TEST(Stretches, AreRefusedWhereRetentionHasRemovedAPart) {
  EXPECT_THAT(resolved("0:9,1:0", "latest"),
              HasSubstr("changes/0 begins at offset 10: what came before it, from offset 9 on, was "
                        "removed"));
  TopicFacts known = facts();
  known.at_from[Partition{0}] = 10;  // the first that is left may not be the first that there was
  EXPECT_THAT(resolved("2026-03-01T00:00:00Z", "latest", known),
              HasSubstr("changes/0 begins at offset 10"));
  EXPECT_EQ(resolved("earliest", "latest", known), "0:10-100 1:0-50");
}

TEST(Stretches, AreWholeWhileRetentionReachesFurtherBack) {
  TopicFacts known = facts();
  known.at_from[Partition{0}] = 10;
  EXPECT_EQ(resolved("2026-03-15T00:00:00Z", "latest", known), "0:10-100 1:20-50");
  known.is_bounded_by_size = true;
  EXPECT_THAT(resolved("2026-03-15T00:00:00Z", "latest", known), HasSubstr("removed"));
}

TEST(Stretches, AreRefusedWhereTheTopicDoesNotReach) {
  EXPECT_THAT(resolved("0:101", "latest"), HasSubstr("changes/0 ends at offset 100"));
  EXPECT_THAT(resolved("2:0", "latest"), HasSubstr("has 2 partitions"));
  EXPECT_THAT(resolved("earliest", "0:20"), HasSubstr("--to: names no offset for changes/1"));
}

}  // namespace
}  // namespace helsekontakter::tools

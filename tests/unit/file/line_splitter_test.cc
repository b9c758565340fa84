#include "adapters/file/line_splitter.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::file {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// "number:text@end" of each line, "!" behind one that is too large, "~" before a rest.
std::vector<std::string> lines_of(LineSplitter& splitter, std::string_view text,
                                  std::size_t at_a_time, bool rest = false) {
  std::vector<std::string> found;
  const auto shown = [](const Line& line) {
    return std::to_string(line.number) + ":" + std::string(line.text) + "@" +
           std::to_string(line.end) + (line.too_large ? "!" : "");
  };
  while (!text.empty()) {
    const std::span<char> room = splitter.room();
    const std::size_t count = std::min({text.size(), at_a_time, room.size()});
    std::copy_n(text.data(), count, room.data());
    splitter.filled(count);
    text.remove_prefix(count);
    while (const auto line = splitter.next()) found.push_back(shown(*line));
  }
  if (rest) {
    if (const auto line = splitter.rest()) found.push_back("~" + shown(*line));
  }
  return found;
}

class Splitting : public testing::TestWithParam<std::size_t> {};

TEST_P(Splitting, CutsAtLineFeedsAndCountsBytes) {
  LineSplitter splitter(100, 0, 0);
  EXPECT_THAT(lines_of(splitter, "a\nbc\n\nd", GetParam()), ElementsAre("0:a@2", "1:bc@5", "2:@6"));
  EXPECT_EQ(splitter.number(), 3);
  EXPECT_EQ(splitter.byte(), 6);
  EXPECT_EQ(splitter.taken_to(), 7);
}

TEST_P(Splitting, DropsOneCarriageReturnBeforeTheLineFeed) {
  LineSplitter splitter(100, 0, 0);
  EXPECT_THAT(lines_of(splitter, "a\r\nb\r\r\nc\rd\n", GetParam()),
              ElementsAre("0:a@3", "1:b\r@7", "2:c\rd@11"));
}

TEST_P(Splitting, PassesOverAByteOrderMarkAtTheStartOnly) {
  LineSplitter splitter(100, 0, 0);
  EXPECT_THAT(lines_of(splitter, "\xEF\xBB\xBF{}\n\xEF\xBB\xBF{}\n", GetParam()),
              ElementsAre("0:{}@6", "1:\xEF\xBB\xBF{}@12"));
  LineSplitter later(100, 5, 50);
  EXPECT_THAT(lines_of(later, "\xEF\xBB\xBF{}\n", GetParam()), ElementsAre("5:\xEF\xBB\xBF{}@56"));
}

TEST_P(Splitting, KeepsTheBeginningOfALineThatIsTooLong) {
  LineSplitter splitter(3, 0, 0);
  const std::string text = "abc\nabcd\nabc\r\n" + std::string(1'000'000, 'x') + "\nok\n";
  EXPECT_THAT(lines_of(splitter, text, GetParam() == 1 ? 100'000 : GetParam()),
              ElementsAre("0:abc@4", "1:abcd@9!", "2:abc@14", "3:xxxx@1000015!", "4:ok@1000018"));
}

TEST_P(Splitting, HandsOutTheRestAtTheEndOfTheInput) {
  LineSplitter splitter(100, 0, 0);
  EXPECT_THAT(lines_of(splitter, "a\nb", GetParam(), true), ElementsAre("0:a@2", "~1:b@3"));
  EXPECT_FALSE(splitter.rest().has_value());
  EXPECT_EQ(splitter.number(), 2);
}

INSTANTIATE_TEST_SUITE_P(BytesAtATime, Splitting, testing::Values(1, 2, 7, 1 << 20));

TEST(Splitting, GoesOnFromAnyLineAndByte) {
  LineSplitter splitter(100, 7, 70);
  EXPECT_THAT(lines_of(splitter, "a\n", 10), ElementsAre("7:a@72"));
}

TEST(Splitting, HoldsNoMoreThanALineAndAChunk) {
  LineSplitter splitter(1000, 0, 0);
  EXPECT_THAT(lines_of(splitter, std::string(50'000'000, 'x'), 1 << 20), IsEmpty());
  EXPECT_LE(splitter.room().size(), 1000u + (1u << 18) + 10u);
  EXPECT_EQ(splitter.taken_to(), 50'000'000);
}

TEST(BlankLines, HoldSpacesOnly) {
  EXPECT_TRUE((Line{.text = ""}).is_blank());
  EXPECT_TRUE((Line{.text = " \t\r"}).is_blank());
  EXPECT_FALSE((Line{.text = " {"}).is_blank());
}

}  // namespace
}  // namespace helsekontakter::file

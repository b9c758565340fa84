#include "adapters/https/date.h"

#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

using namespace std::chrono_literals;

constexpr WallTime example =
    std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;

TEST(HttpDate, IsReadInItsCurrentForm) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), example);
}

TEST(HttpDate, IsNotGuessedFromAnythingElse) {
  for (const auto* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

struct Wait {
  std::string text;
  std::optional<Milliseconds> expected;
};

class RetryAfter : public ::testing::TestWithParam<Wait> {};

TEST_P(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after(GetParam().text, example - 10s), GetParam().expected)
      << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(Table, RetryAfter,
                         ::testing::Values(Wait{"0", 0ms}, Wait{"120", 120s}, Wait{"3601", 1h},
                                           Wait{"99999999999999999999", 1h},
                                           Wait{"Sun, 06 Nov 1994 08:49:37 GMT", 10s},
                                           Wait{"Sat, 05 Nov 1994 08:49:37 GMT", 0ms},
                                           Wait{"Mon, 06 Nov 1995 08:49:37 GMT", 1h},
                                           Wait{"", std::nullopt}, Wait{"-1", std::nullopt},
                                           Wait{"1.5", std::nullopt}, Wait{"soon", std::nullopt}));

}  // namespace
}  // namespace helsekontakter::https

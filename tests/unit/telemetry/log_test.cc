#include "adapters/telemetry/log.h"

#include <limits>
#include <type_traits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace helsekontakter::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

static_assert(!std::is_constructible_v<FieldValue, NationalId>);
static_assert(!std::is_constructible_v<FieldValue, const NationalId&>);
static_assert(std::is_constructible_v<FieldValue, OrganizationNumber>);

class LogTest : public testing::Test {
 protected:
  [[nodiscard]] Log make(LogSettings settings = {}) {
    return Log(
        settings, [this](std::string_view line) { lines_.emplace_back(line); },
        [this] { return now_; });
  }

  std::chrono::system_clock::time_point now_{
      std::chrono::sys_days(std::chrono::year(2026) / 11 / 3) + 4h + 5min + 6s + 78ms};
  std::vector<std::string> lines_;
};

TEST_F(LogTest, WritesOneObjectALineWithTimeLevelAndEvent) {
  Log log = make();
  log.warn("endpoint held", {{"organization", OrganizationNumber::parse("948554062").value()},
                             {"entries", 12},
                             {"share", 0.5},
                             {"probing", true},
                             {"pause", Milliseconds(1500)},
                             {"offset", std::uint64_t{7}}});
  EXPECT_THAT(lines_,
              ElementsAre(R"({"time":"2026-11-03T04:05:06.078Z","level":"warn",)"
                          R"("event":"endpoint held","organization":"948554062","entries":12,)"
                          R"("share":0.5,"probing":true,"pause":1.5,"offset":7})"));
}

TEST_F(LogTest, WritesALineForPeopleWhenAsked) {
  Log log = make({.format = Format::text});
  log.info("worker started", {{"version", "0.1.0"}, {"partitions", 3}});
  EXPECT_THAT(lines_, ElementsAre("2026-11-03T04:05:06.078Z info  worker started  "
                                  R"(version="0.1.0"  partitions=3)"));
}

TEST_F(LogTest, LeavesOutWhatIsLessSevereThanItsLevel) {
  Log log = make({.level = Level::warn});
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  EXPECT_THAT(lines_, SizeIs(2));
  EXPECT_FALSE(log.is_written(Level::info));
  EXPECT_TRUE(log.is_written(Level::error));
}

TEST_F(LogTest, ShowsNoIdentityNumberWhereverItStands) {
  for (const Format format : {Format::json, Format::text}) {
    Log log = make({.format = format});
    log.info("refused 13116900216",
             {{"text", "person 13116900216 is unknown"}, {"copy", std::string("13116900216")}});
  }
  ASSERT_THAT(lines_, SizeIs(2));
  for (const std::string& line : lines_) {
    EXPECT_THAT(line, Not(HasSubstr("13116900216")));
    EXPECT_THAT(line, HasSubstr("person *********** is unknown"));
  }
}

TEST_F(LogTest, CutsNoIdentityNumberInHalf) {
  Log log = make();
  log.info("e", {{"text", std::string(1994, ' ') + "13116900216"}});
  EXPECT_THAT(lines_.front(), Not(HasSubstr("131169")));
}

TEST_F(LogTest, WritesValidJsonWhateverBytesComeIn) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  Log log = make();
  log.info("odd", {{"bytes", bytes},
                   {"overlong", "\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf"},
                   {"surrogate", "\xed\xa0\x80"},
                   {"too_high", "\xf4\x90\x80\x80"},
                   {"cut_short", "\xe2\x82"},
                   {"norsk", "blåbærsyltetøy €"},
                   {"nan", std::numeric_limits<double>::quiet_NaN()}});
  ASSERT_THAT(lines_, SizeIs(1));
  simdjson::dom::parser parser;
  const simdjson::dom::element line = parser.parse(simdjson::padded_string(lines_.front()));
  EXPECT_EQ(line["norsk"].get_string().value(), "blåbærsyltetøy €");
  EXPECT_EQ(line["cut_short"].get_string().value(), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_TRUE(line["nan"].is_null());
  EXPECT_EQ(lines_.front().find('\n'), std::string::npos);
}

TEST_F(LogTest, CutsLongTextsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "€";
  Log log = make();
  log.info("long", {{"text", text}});
  simdjson::dom::parser parser;
  const simdjson::dom::element line = parser.parse(simdjson::padded_string(lines_.front()));
  EXPECT_EQ(line["text"].get_string().value(), text.substr(0, 1998));
}

TEST_F(LogTest, KeepsALineOneLineForPeopleToo) {
  Log log = make({.format = Format::text});
  log.info("first\nsecond", {{"text", "a\nb\x1b[31m"}});
  EXPECT_EQ(lines_.front().find('\n'), std::string::npos);
  EXPECT_EQ(lines_.front().find('\x1b'), std::string::npos);
}

TEST_F(LogTest, LeavesOutAnEventThatRepeatsAndSaysHowOften) {
  Log log = make();
  for (int i = 0; i < 50; ++i) log.warn("token refused");
  log.warn("another");
  EXPECT_THAT(lines_, SizeIs(Log::burst + 1));
  now_ += 60s;
  log.warn("token refused");
  EXPECT_THAT(lines_.back(), HasSubstr("\"suppressed\":30"));
  log.warn("token refused");
  EXPECT_THAT(lines_.back(), Not(HasSubstr("suppressed")));
}

TEST_F(LogTest, IsNotSilencedByAClockThatIsSetBack) {
  Log log = make();
  for (int i = 0; i < 50; ++i) log.warn("token refused");
  lines_.clear();
  now_ -= 1h;
  log.warn("token refused");
  EXPECT_THAT(lines_, SizeIs(1));
}

}  // namespace
}  // namespace helsekontakter::telemetry

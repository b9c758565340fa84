#include "adapters/json/calendar.h"
#include "adapters/json/event_decoder.h"
#include "tests/unit/json/events.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

std::int64_t version_of(const Delivery& delivery) {
  return std::get<Change>(delivery.content).version;
}

std::string entry_of_change(const Delivery& delivery) {
  return std::string(delivery.texts[Texts::Field::entry]);
}

constexpr std::string_view event_time = "2026-01-01T12:00:00Z";

TEST(VersionFromTime, IsTheEventsTimeInMicroseconds) {
  const DecoderSettings settings{.version_from = VersionFrom::time};
  EXPECT_EQ(version_of(decode(membership_event(), settings)), 1'767'268'800'000'000);
  const auto at = [&](std::string_view time) {
    return version_of(decode(with(membership_event(), event_time, time), settings));
  };
  EXPECT_EQ(at("2026-01-01T13:00:00+01:00"), 1'767'268'800'000'000);
  EXPECT_EQ(at("2026-01-01T12:00:00.0000015Z"), 1'767'268'800'000'001);
  EXPECT_EQ(at("2026-01-01t12:00:00.5z"), 1'767'268'800'500'000);
}

TEST(VersionFromTime, OfPlainJsonIsTheRecordsTime) {
  const Delivery delivery =
      decode(std::string(membership_data), {.version_from = VersionFrom::time});
  EXPECT_EQ(version_of(delivery), 1'767'348'000'000'000);
}

TEST(VersionFromTime, IsRejectedMoreThanADayAhead) {
  const DecoderSettings settings{.version_from = VersionFrom::time};
  const auto at = [&](std::string_view time) {
    return shape(decode(with(membership_event(), event_time, time), settings));
  };
  EXPECT_EQ(at("2026-01-03T12:00:00Z"), "change");
  EXPECT_EQ(at("2026-01-03T12:00:00.001Z"), "version_ahead /time");
  EXPECT_EQ(at("1969-12-31T23:59:59Z"), "version_invalid /time");
}

TEST(VersionFromTime, IsMissingWithoutTime) {
  const std::string event = with(membership_event(), R"("time":"2026-01-01T12:00:00Z",)", "");
  EXPECT_EQ(shape(decode(event, {.version_from = VersionFrom::time})), "version_missing /time");
}

TEST(VersionFromBroker, IsTheOffsetOrTheResentOnesVersion) {
  const DecoderSettings settings{.version_from = VersionFrom::broker};
  EXPECT_EQ(version_of(decode(membership_event(), settings)), 41);
  const auto with_extensions = [&](std::string_view extensions) {
    return version_of(decode(membership_event(membership_data, extensions), settings));
  };
  EXPECT_EQ(with_extensions(R"("resend":"r","resendversion":"12",)"), 12);
  EXPECT_EQ(with_extensions(R"("resend":"r","resendversion":12,)"), 12);
  EXPECT_EQ(with_extensions(R"("resendversion":"12",)"), 41) << "not a resend";
}

TEST(VersionFromData, IsNotReplacedByAResend) {
  const Delivery delivery =
      decode(membership_event(membership_data, R"("resend":"r","resendversion":"12",)"));
  EXPECT_EQ(version_of(delivery), 7);
}

std::string open_ended() {
  return with(membership_event(), R"(,"end":"2026-06-30")", "");
}

TEST(OpenEnd, IsLeftOutWhenSaidSo) {
  const Delivery delivery = decode(open_ended(), {.open_end = OpenEnd::omit});
  EXPECT_EQ(shape(delivery), "change");
  EXPECT_THAT(entry_of_change(delivery), testing::Not(testing::HasSubstr("\"end\"")));
}

TEST(OpenEnd, EndsTheHorizonAfterTheEventsTime) {
  const DecoderSettings settings{.open_end = OpenEnd::horizon, .horizon = std::chrono::days{365}};
  EXPECT_THAT(entry_of_change(decode(open_ended(), settings)), testing::HasSubstr("2027-01-01"));
  const std::string timeless = with(open_ended(), R"("time":"2026-01-01T12:00:00Z",)", "");
  EXPECT_EQ(shape(decode(timeless, settings)), "period_end_missing /data/period/end");
}

TEST(OpenEnd, IsNoEndOfAnEndedMembership) {
  const std::string ended = with(open_ended(), R"("version")", R"("ended":true,"version")");
  for (const OpenEnd open_end : {OpenEnd::reject, OpenEnd::omit, OpenEnd::horizon}) {
    EXPECT_EQ(shape(decode(ended, {.open_end = open_end})), "period_end_missing /data/period/end");
  }
}

TEST(EndedMembership, ChangesNothingElseOnTheWire) {
  const Delivery ended =
      decode(with(membership_event(), R"("version")", R"("ended":true,"version")"));
  EXPECT_EQ(entry_of_change(ended), entry_of_change(decode(membership_event())));
}

TEST(Period, MayEndOnTheDayItStarts) {
  EXPECT_EQ(shape(decode(with(membership_event(), "2026-06-30", "2026-01-01"))), "change");
}

struct Environment {
  std::string member;
  bool real_allowed;
  bool synthetic_allowed;
  std::string shape;
};

class Environments : public testing::TestWithParam<Environment> {};

TEST_P(Environments, GuardEachOther) {
  const Environment& given = GetParam();
  DecoderSettings settings;
  settings.real_allowed = given.real_allowed;
  settings.synthetic_allowed = given.synthetic_allowed;
  settings.test_allow = {"02013299997"};
  EXPECT_EQ(shape(decode(with(membership_event(), danser, given.member), settings)), given.shape);
}

INSTANTIATE_TEST_SUITE_P(
    All, Environments,
    testing::Values(Environment{"13116900216", true, false, "change"},
                    Environment{"21814497167", true, false, "member_synthetic /data/member"},
                    Environment{"31739556891", true, false, "member_synthetic /data/member"},
                    Environment{"15507600333", true, false, "member_synthetic /data/member"},
                    Environment{"13116900216", false, true, "member_real /data/member"},
                    Environment{"02013299997", false, true, "change"},
                    Environment{"21814497167", false, true, "change"},
                    Environment{"44722264549", false, true, "change"}));

TEST(Rule2032, IsASetting) {
  const std::string event = with(membership_event(), danser, "30108299939");
  EXPECT_EQ(shape(decode(event)), "change");
  EXPECT_EQ(shape(decode(event, {.rule_2032 = false})), "member_check_digit /data/member");
}

TEST(DNumber, GetsItsOwnSystem) {
  DecoderSettings settings{.real_allowed = false, .synthetic_allowed = true};
  settings.form.system_dnr = "urn:oid:dnr";
  const std::string event = with(membership_event(), danser, "41814061033");
  EXPECT_THAT(entry_of_change(decode(event, settings)), testing::HasSubstr("urn:oid:dnr"));
}

class NoTimes : public testing::TestWithParam<std::string> {};

TEST_P(NoTimes, AreNotRead) {
  EXPECT_FALSE(parse_time(GetParam()).has_value());
}

INSTANTIATE_TEST_SUITE_P(All, NoTimes,
                         testing::Values("", "2026-01-01", "2026-01-01T12:00:00",
                                         "2026-01-01T24:00:00Z", "2026-01-01T12:60:00Z",
                                         "2026-01-01T12:00:61Z", "2026-02-30T12:00:00Z",
                                         "2026-01-01T12:00:00.Z", "2026-01-01T12:00:00+0100",
                                         "2026-01-01T12:00:00+24:00", "2026-01-01T12:00:00Zx",
                                         "2026-01-01_12:00:00Z"));

TEST(Calendar, PutsALeapSecondAfterItsMinute) {
  EXPECT_GT(*parse_time("2016-12-31T23:59:60Z"), *parse_time("2016-12-31T23:59:59.9Z"));
  EXPECT_LT(*parse_time("2016-12-31T23:59:60Z"), *parse_time("2017-01-01T00:00:00Z"));
}

TEST(Calendar, WritesWhatItReads) {
  for (const std::string_view date : {"0001-01-01", "1900-02-28", "2000-02-29", "9999-12-31"}) {
    const auto text = date_text(*parse_date(date));
    EXPECT_EQ(std::string_view(text->data(), text->size()), date);
  }
  EXPECT_FALSE(date_text(*parse_date("9999-12-31") + std::chrono::days{1}).has_value());
  EXPECT_FALSE(parse_date("1900-02-29").has_value());
  EXPECT_FALSE(parse_date("0000-01-01").has_value());
}

}  // namespace
}  // namespace helsekontakter::json

#include "worker/submission/rules.h"

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

using enum Judgement;

struct Row {
  std::string name;
  EntryAnswer answer;
  Judgement judgement;
  Reason reason = Reason::none;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class DefaultRule : public testing::TestWithParam<Row> {};

TEST_P(DefaultRule, JudgesBothLanesAlike) {
  const OutcomeRules rules;
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    const OutcomeRules::Match match = rules.judge(lane, GetParam().answer);
    EXPECT_EQ(match.judgement, GetParam().judgement);
    EXPECT_EQ(match.reason, GetParam().reason);
  }
}

EntryAnswer status(int number) {
  return {.status = number};
}

EntryAnswer coded(int number, std::string code, bool fault = true) {
  return {.status = number, .fault = fault, .code = std::move(code)};
}

EntryAnswer said(int number, std::string text, bool fault = true) {
  return {.status = number, .fault = fault, .text = std::move(text)};
}

constexpr Reason refused = Reason::refused_by_endpoint;
constexpr Reason not_active = Reason::not_digitally_active;

INSTANTIATE_TEST_SUITE_P(
    Statuses, DefaultRule,
    testing::Values(Row{"Created", status(201), accepted}, Row{"Ok", status(200), accepted},
                    Row{"LastSuccess", status(299), accepted},
                    Row{"NoStatusAndNoFault", status(0), accepted},
                    Row{"NoStatusButAFault", {.fault = true}, halve, refused},
                    Row{"FaultInASuccess", {.status = 200, .fault = true}, halve, refused},
                    Row{"Unauthorized", status(401), hold}, Row{"Forbidden", status(403), hold},
                    Row{"RequestTimeout", status(408), retry},
                    Row{"TooManyRequests", status(429), retry},
                    Row{"ServerError", status(500), retry}, Row{"Unavailable", status(503), retry},
                    Row{"BadRequest", status(400), halve, refused},
                    Row{"Unprocessable", status(422), halve, refused},
                    Row{"TooLarge", status(413), halve, refused},
                    Row{"LastClientError", status(499), halve, refused},
                    Row{"Redirect", status(302), hold}, Row{"Informational", status(102), retry}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Codes, DefaultRule,
    testing::Values(Row{"NotActive", coded(400, "2118"), inactive, not_active},
                    Row{"NotActiveInASuccess", coded(200, "2118", false), inactive, not_active},
                    Row{"NotActiveInAServerError", coded(500, "2118"), inactive, not_active},
                    Row{"NotActiveNeverUndoesAuthorization", coded(403, "2118"), hold},
                    Row{"Code2109", coded(400, "2109"), rejected, refused},
                    Row{"Code2147", coded(400, "2147"), rejected, refused},
                    Row{"Code2174", coded(400, "2174"), rejected, refused},
                    Row{"Code102", coded(400, "102"), rejected, refused},
                    Row{"Code1111", coded(400, "1111"), rejected, refused},
                    Row{"Code1112", coded(422, "1112"), rejected, refused},
                    Row{"InvalidInAFaultySuccess", coded(200, "2109"), rejected, refused},
                    Row{"InvalidCodeOfASuccessIsANote", coded(200, "102", false), accepted},
                    Row{"InvalidCodeOfAServerErrorIsTriedAgain", coded(500, "2109"), retry},
                    Row{"InvalidCodeUnderAuthorization", coded(401, "2109"), hold},
                    Row{"UnknownCode", coded(400, "9999"), halve, refused},
                    Row{"CodesAreWhole", coded(400, "21091"), halve, refused},
                    Row{"TokenExpired", coded(401, "EHSEC-110002"), hold},
                    Row{"SecurityCodeWithAnotherStatus", coded(400, "EHSEC-1"), hold}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Texts, DefaultRule,
    testing::Values(
        Row{"NotActiveForAService",
            said(400, "Pasienten er ikke digitalt aktiv for tjeneste: OmradeHelsehjelp"), inactive,
            not_active},
        Row{"NotActiveInCapitals", said(422, "IKKE DIGITALT AKTIV"), inactive, not_active},
        Row{"Active", said(200, "Pasienten er digitalt aktiv", false), accepted},
        Row{"UnknownOrganization", said(400, "Ukjent organisasjon"), retry},
        Row{"OrganizationNotFound", said(404, "Organization 948554062 not found"), retry},
        Row{"OrganizationMissing", said(200, "Organisasjonen finnes ikke"), retry},
        Row{"UnknownOrganizationWithACode",
            {.status = 400, .fault = true, .code = "102", .text = "unknown organisation"},
            retry},
        Row{"UnknownPerson", said(400, "Ukjent person"), halve, refused},
        Row{"OrganizationWrong", said(400, "organisasjon er feil"), halve, refused}),
    [](const auto& row) { return row.param.name; });

OutcomeRules rules_of(std::vector<OutcomeRule> configured) {
  auto rules = OutcomeRules::with(std::move(configured));
  EXPECT_TRUE(rules.has_value()) << (rules ? "" : rules.error().message);
  return rules ? *rules : OutcomeRules();
}

TEST(OutcomeRules, LetsAConfiguredRuleComeBeforeTheDefaults) {
  const OutcomeRules rules = rules_of({{.code = "2118", .judgement = rejected}});
  EXPECT_EQ(rules.judge(Lane::members, coded(400, "2118")).judgement, rejected);
  EXPECT_EQ(rules.judge(Lane::members, coded(400, "2118")).reason, refused);
  EXPECT_EQ(rules.judge(Lane::members, coded(403, "")).judgement, hold);
}

TEST(OutcomeRules, AsksAllConditionsOfARule) {
  const OutcomeRules rules = rules_of({{.lane = Lane::members,
                                        .status_first = 400,
                                        .status_last = 499,
                                        .code = "7",
                                        .text = "Reservert",
                                        .judgement = inactive}});
  const EntryAnswer all{.status = 404, .fault = true, .code = "7", .text = "er RESERVERT nå"};
  EXPECT_EQ(rules.judge(Lane::members, all).judgement, inactive);
  EXPECT_EQ(rules.judge(Lane::offerings, all).judgement, halve);
  EntryAnswer other = all;
  other.status = 500;
  EXPECT_EQ(rules.judge(Lane::members, other).judgement, retry);
  other = all;
  other.code = "8";
  EXPECT_EQ(rules.judge(Lane::members, other).judgement, halve);
  other = all;
  other.text = "reserver";
  EXPECT_EQ(rules.judge(Lane::members, other).judgement, halve);
}

TEST(OutcomeRules, TakesALoneStatusForExactlyThatOne) {
  const OutcomeRules rules = rules_of({{.status_first = 404, .judgement = retry}});
  EXPECT_EQ(rules.judge(Lane::members, status(404)).judgement, retry);
  EXPECT_EQ(rules.judge(Lane::members, status(405)).judgement, halve);
  EXPECT_EQ(rules.judge(Lane::members, status(403)).judgement, hold);
}

TEST(OutcomeRules, TakesTheFirstOfTwoMatches) {
  const OutcomeRules rules = rules_of({{.status_first = 400, .code = "1", .judgement = retry},
                                       {.status_first = 400, .judgement = rejected}});
  EXPECT_EQ(rules.judge(Lane::members, coded(400, "1")).judgement, retry);
  EXPECT_EQ(rules.judge(Lane::members, coded(400, "2")).judgement, rejected);
}

TEST(OutcomeRules, GivesTheReasonThatTheRuleNames) {
  const OutcomeRules rules =
      rules_of({{.code = "fnr", .judgement = rejected, .reason = Reason::member_check_digit}});
  EXPECT_EQ(rules.judge(Lane::members, coded(400, "fnr")).reason, Reason::member_check_digit);
}

TEST(OutcomeRules, MatchesAnAnswerWithoutCodeByAnEmptyOne) {
  const OutcomeRules rules = rules_of({{.status_first = 404, .code = "", .judgement = hold}});
  EXPECT_EQ(rules.judge(Lane::members, status(404)).judgement, hold);
  EXPECT_EQ(rules.judge(Lane::members, coded(404, "x")).judgement, halve);
}

}  // namespace
}  // namespace helsekontakter

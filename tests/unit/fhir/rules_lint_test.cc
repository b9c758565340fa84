#include "worker/submission/rules_lint.h"

#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

using enum Judgement;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Table {
  std::string name;
  std::vector<OutcomeRule> rules;
  std::vector<std::string> said;  ///< parts of the one fault; none: the table is good
};

void PrintTo(const Table& table, std::ostream* out) {
  *out << table.name;
}

class Lint : public testing::TestWithParam<Table> {};

TEST_P(Lint, SaysWhatIsWrongWithTheTable) {
  const std::vector<std::string> faults = lint(GetParam().rules);
  if (GetParam().said.empty()) {
    EXPECT_THAT(faults, IsEmpty());
    return;
  }
  ASSERT_EQ(faults.size(), 1U) << testing::PrintToString(faults);
  for (const std::string& part : GetParam().said) EXPECT_THAT(faults[0], HasSubstr(part));
}

OutcomeRule range(int first, int last, Judgement judgement) {
  return {.status_first = first, .status_last = last, .judgement = judgement};
}

INSTANTIATE_TEST_SUITE_P(
    GoodTables, Lint,
    testing::Values(
        Table{"Empty", {}, {}},
        Table{"DifferentCodes",
              {{.code = "1", .judgement = retry}, {.code = "2", .judgement = rejected}},
              {}},
        Table{"DifferentLanes",
              {{.lane = Lane::members, .code = "1", .judgement = retry},
               {.lane = Lane::offerings, .judgement = hold}},
              {}},
        Table{"RangesSideBySide", {range(400, 449, retry), range(450, 499, rejected)}, {}},
        Table{"AnExceptionBeforeItsRule",
              {{.status_first = 400, .code = "1", .judgement = retry},
               {.status_first = 400, .judgement = rejected}},
              {}},
        Table{"ALongerTextBeforeAShorterOne",
              {{.text = "ikke funnet her", .judgement = retry},
               {.text = "Ikke Funnet", .judgement = rejected}},
              {}},
        Table{"OverlappingRulesThatAgree",
              {{.text = "a", .judgement = retry}, {.code = "1", .judgement = retry}},
              {}},
        Table{"AnOverlapDecidedByARuleForBoth",
              {{.code = "1", .text = "b", .judgement = hold},
               {.code = "1", .judgement = retry},
               {.text = "B", .judgement = rejected}},
              {}}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    UnreachableRules, Lint,
    testing::Values(Table{"TheSameTwice",
                          {{.code = "1", .judgement = retry}, {.code = "1", .judgement = retry}},
                          {"rule 2 is never reached", "rule 1", "remove it"}},
                    Table{"AnExceptionAfterItsRule",
                          {{.status_first = 400, .judgement = rejected},
                           {.status_first = 400, .code = "1", .judgement = retry}},
                          {"rule 2 is never reached: rule 1", "move it before"}},
                    Table{"BehindARuleForEverything",
                          {{.judgement = hold}, {.code = "1", .judgement = retry}},
                          {"rule 2 is never reached: rule 1"}},
                    Table{"ALongerTextAfterAShorterOne",
                          {{.text = "FUNNET", .judgement = rejected},
                           {.text = "ikke funnet", .judgement = retry}},
                          {"rule 2 is never reached: rule 1"}},
                    Table{"BehindTwoHalvesOfItsRange",
                          {range(400, 449, retry),
                           range(450, 499, rejected),
                           {.status_first = 440, .status_last = 460, .judgement = hold}},
                          {"rule 3 is never reached: rule 1 and rule 2"}},
                    Table{"BehindARuleForEachLane",
                          {{.lane = Lane::members, .judgement = retry},
                           {.lane = Lane::offerings, .judgement = hold},
                           {.code = "1", .judgement = rejected}},
                          {"rule 3 is never reached: rule 1 and rule 2"}}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Disagreements, Lint,
    testing::Values(Table{"ACodeAndAText",
                          {{.code = "1", .judgement = retry}, {.text = "a", .judgement = rejected}},
                          {"rule 1 and rule 2", "disagree", "add a condition"}},
                    Table{"RangesThatMeet",
                          {range(400, 450, retry), range(450, 499, rejected)},
                          {"rule 1 and rule 2"}},
                    Table{"TwoTexts",
                          {{.text = "a", .judgement = retry}, {.text = "b", .judgement = rejected}},
                          {"rule 1 and rule 2"}},
                    Table{"SameVerdictOtherReason",
                          {{.code = "1", .judgement = rejected, .reason = Reason::member_date},
                           {.text = "a", .judgement = rejected}},
                          {"rule 1 and rule 2"}},
                    Table{"AnEarlierRuleForOnlyPartOfTheOverlap",
                          {{.code = "1", .text = "abc", .judgement = hold},
                           {.code = "1", .judgement = retry},
                           {.text = "B", .judgement = rejected}},
                          {"rule 2 and rule 3"}},
                    Table{"ALaneAndAStatus",
                          {{.lane = Lane::members, .judgement = retry},
                           {.status_first = 400, .judgement = rejected}},
                          {"rule 1 and rule 2"}}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    SenselessConditions, Lint,
    testing::Values(
        Table{"AReversedRange", {range(499, 400, retry)}, {"rule 1", "status"}},
        Table{"NoHttpStatus", {range(40, 49, retry)}, {"rule 1", "status"}},
        Table{"BeyondTheLastStatus", {range(500, 600, retry)}, {"rule 1", "status"}},
        Table{"ALastStatusAlone",
              {{.status_last = 400, .judgement = retry}},
              {"rule 1", "without a first"}},
        Table{"AnEmptyText", {{.text = "", .judgement = retry}}, {"rule 1", "empty text"}},
        Table{"AReasonOfAnotherVerdict",
              {{.code = "1", .judgement = rejected, .reason = Reason::not_digitally_active}},
              {"rule 1", "reason"}},
        Table{"AReasonForAcceptance",
              {{.code = "1", .judgement = accepted, .reason = Reason::member_date}},
              {"rule 1", "reason"}}),
    [](const auto& row) { return row.param.name; });

TEST(LintOfRules, NamesEveryFaultAtOnce) {
  EXPECT_THAT(lint(std::vector<OutcomeRule>{{.text = "", .judgement = retry},
                                            {.code = "1", .judgement = retry},
                                            range(499, 400, retry)}),
              ElementsAre(HasSubstr("rule 1"), HasSubstr("rule 3")));
}

TEST(LintOfRules, RefusesTheTableWithAllItsFaults) {
  const auto rules = OutcomeRules::with({{.code = "1", .judgement = retry},
                                         {.code = "1", .judgement = hold},
                                         {.text = "a", .judgement = rejected}});
  ASSERT_FALSE(rules.has_value());
  EXPECT_EQ(rules.error().remedy, Remedy::stop);
  EXPECT_THAT(rules.error().message,
              AllOf(HasSubstr("rule 2 is never reached"), HasSubstr("rule 1 and rule 3")));
}

}  // namespace
}  // namespace helsekontakter

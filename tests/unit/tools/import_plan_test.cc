#include "adapters/tools/import_plan.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string ada = "21814497167";
const std::string bob = "02013299997";  // real in form, so not of this environment
const std::string eve = "13116900216";  // likewise
const std::chrono::sys_days today = 2026y / 3 / 15;

MemberLine line(std::string member, std::string start, std::string end, std::size_t number = 2) {
  return {.line = number,
          .member = std::move(member),
          .start = std::move(start),
          .end = std::move(end),
          .subject = "m-1",
          .key = "k-1"};
}

class ImportPlanTest : public ::testing::Test {
 protected:
  ImportPlanTest()
      : events_({.real_allowed = true, .synthetic_allowed = true},
                crypto::KeyedHash(crypto::KeyedHash::Key{}),
                {.organization = *OrganizationNumber::parse("948554062"),
                 .time = WallTime{1'773'572'400'123ms},
                 .version = 17,
                 .source = "/import"}) {}

  CheckedList list(std::vector<MemberLine> lines) {
    auto checked = check_list(std::move(lines), events_);
    EXPECT_TRUE(checked) << checked.error().first.front().what;
    return checked ? *checked : CheckedList{};
  }

  /// What is sent, as "member start..end" and "ended".
  std::vector<std::string> sent(const ImportPlan& plan) {
    std::vector<std::string> all;
    for (const MemberLine& each : plan.sent) {
      EXPECT_TRUE(events_.check(each)) << "what is sent is not valid";
      all.push_back(each.member + " " + each.start + ".." + each.end +
                    (each.ended ? " ended" : ""));
    }
    return all;
  }

  std::string fault(const MemberLine& bad) {
    const auto checked = check_list({bad}, events_);
    return checked ? ""
                   : std::to_string(checked.error().first[0].line) + ": " +
                         checked.error().first[0].what;
  }

  ImportEvents events_;
};

TEST_F(ImportPlanTest, MakesEventsThatTheWorkerReads) {
  EXPECT_EQ(events_.text(line(ada, "2026-01-01", "2026-06-30"), 3),
            R"({"specversion":"1.0","id":"import-1773572400123-3","source":"/import",)"
            R"("type":"no.helsekontakter.membership.changed.v1","subject":"m-1",)"
            R"("time":"2026-03-15T11:00:00.123Z","datacontenttype":"application/json",)"
            R"("data":{"organization":"948554062","member":"21814497167",)"
            R"("period":{"start":"2026-01-01","end":"2026-06-30"},"version":17}})");
}

TEST_F(ImportPlanTest, SendsAllWithoutAListBefore) {
  const auto plan = plan_import(
      list({line(ada, "2026-01-01", "2026-06-30"), line(bob, "2026-01-01", "2026-06-30", 3)}), {},
      today);
  EXPECT_THAT(sent(plan),
              ElementsAre(ada + " 2026-01-01..2026-06-30", bob + " 2026-01-01..2026-06-30"));
  EXPECT_EQ(plan.added, 2);
  EXPECT_EQ(plan.ends_share(), 0);
}

TEST_F(ImportPlanTest, SendsTheDifferenceToTheListBefore) {
  const auto plan = plan_import(
      list({line(ada, "2026-01-01", "2026-06-30"), line(bob, "2026-01-01", "2026-12-31", 3)}),
      list({line(ada, "2026-01-01", "2026-06-30"), line(bob, "2026-01-01", "2026-06-30", 3)}),
      today);
  EXPECT_THAT(sent(plan), ElementsAre(bob + " 2026-01-01..2026-12-31"));
  EXPECT_EQ(plan.unchanged, 1);
  EXPECT_EQ(plan.changed, 1);
}

TEST_F(ImportPlanTest, EndsWhoIsMissingOnTheDayOfTheImport) {
  const auto plan = plan_import(
      list({line(ada, "2026-01-01", "2026-06-30")}),
      list({line(ada, "2026-01-01", "2026-06-30"), line(bob, "2026-01-01", "2026-06-30", 3)}),
      today);
  EXPECT_THAT(sent(plan), ElementsAre(bob + " 2026-01-01..2026-03-15 ended"));
  EXPECT_EQ(plan.ends_share(), 0.5);
}

TEST_F(ImportPlanTest, LeavesOutWhoIsMissingBecauseItIsOver) {
  const auto plan = plan_import({}, list({line(ada, "2025-01-01", "2026-03-14")}), today);
  EXPECT_THAT(sent(plan), IsEmpty());
  EXPECT_EQ(plan.over, 1);
  EXPECT_EQ(plan.ended, 0);
}

TEST_F(ImportPlanTest, GivesAMembershipThatHadNotBegunTheDayOfTheImport) {
  const auto plan = plan_import({}, list({line(ada, "2026-08-01", "2026-12-31")}), today);
  EXPECT_THAT(sent(plan), ElementsAre(ada + " 2026-03-15..2026-03-15 ended"));
}

TEST_F(ImportPlanTest, RefusesWhatTheWorkerWouldRefuseByLineWithoutItsContent) {
  EXPECT_THAT(fault(line("21814497168", "2026-01-01", "2026-06-30", 7)),
              HasSubstr("7: member_check_digit"));
  EXPECT_THAT(fault(line(ada, "2026-13-01", "2026-06-30")), HasSubstr("2: period_invalid"));
  EXPECT_THAT(fault(line(ada, "2026-07-01", "2026-06-30")), HasSubstr("2: period_reversed"));
  EXPECT_THAT(fault(line(ada, "2026-01-01", "")), HasSubstr("2: period_end_missing"));
  EXPECT_THAT(fault(line("2181449716", "2026-01-01", "")), Not(HasSubstr("2181449716")));
}

TEST_F(ImportPlanTest, RefusesAMemberTwice) {
  const auto checked = check_list(
      {line(ada, "2026-01-01", "2026-06-30", 2), line(eve, "2026-01-01", "2026-06-30", 3),
       line(ada, "2026-07-01", "2026-12-31", 4)},
      events_);
  ASSERT_FALSE(checked);
  ASSERT_EQ(checked.error().total, 1);
  EXPECT_EQ(checked.error().first[0].line, 4);
  EXPECT_THAT(checked.error().first[0].what, HasSubstr("the same member as in line 2"));
}

}  // namespace
}  // namespace helsekontakter::tools

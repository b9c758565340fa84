// Asking for the digital status of inactive members before their changes go again.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using Kind = StatusFailure::Kind;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

WorkerSettings asking() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.remembered_keys_max = 0;  // nothing but the ledger remembers
  settings.digital_status.enabled = true;
  settings.member.inactive_retry = 1h;
  settings.member.inactive_expiry = 1000h;
  return settings;
}

/// After this a first interval is over, whatever its jitter, and no second one.
constexpr Milliseconds an_interval = 75min;

/// A core of which these events are parked, and whose time has come.
void park(Core& core, std::string_view events) {
  core.deliver(events);
  while (core.in_flight() > 0) core.say_inactive();
  (void)core.record_all();
  core.pass(an_interval);
  core.pass(1min);
}

TEST(AskingStatus, SubmitsOnlyThoseWhoHaveBecomeActive) {
  Core core(asking());
  core.assign();
  park(core, "ada@1 bob@1 cleo@1");
  EXPECT_EQ(core.questions(), "ada bob cleo");
  EXPECT_EQ(core.requests(), "");
  core.say_active({"bob"});
  EXPECT_EQ(core.requests(), "bob@1");
  EXPECT_THAT(core.record_all(), AnyOf("ada@1 inactive (not_digitally_active) silently, "
                                       "cleo@1 inactive (not_digitally_active) silently",
                                       "cleo@1 inactive (not_digitally_active) silently, "
                                       "ada@1 inactive (not_digitally_active) silently"));
  core.accept();
  EXPECT_EQ(core.record_all(), "bob@1 accepted");
  core.pass(an_interval);
  EXPECT_EQ(core.questions(), "") << "the pause has grown";
  core.pass(80min);
  core.pass(1min);
  EXPECT_EQ(core.questions(), "ada cleo");
}

TEST(AskingStatus, SubmitsAtOnceWhereItIsNotEnabled) {
  WorkerSettings settings = asking();
  settings.digital_status.enabled = false;
  Core core(settings);
  core.assign();
  park(core, "ada@1");
  EXPECT_EQ(core.questions(), "");
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(AskingStatus, CountsNoAttempt) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.say_active({});
  ASSERT_TRUE(core.is_recording());
  EXPECT_EQ(core.recording().conclusions.at(0).attempt, 1);
  EXPECT_EQ(core.recording().conclusions.at(0).round, 1);
  EXPECT_TRUE(core.recording().batches.empty());
  (void)core.record_all();
  core.pass(150min);
  core.pass(1min);
  core.say_active({"ada"});
  core.accept();
  ASSERT_TRUE(core.is_recording());
  EXPECT_EQ(core.recording().conclusions.at(0).attempt, 2);
}

TEST(AskingStatus, TellsEachRoundWhereResultsAreToTellOfEach) {
  WorkerSettings settings = asking();
  settings.member.every_inactive = true;
  Core core(settings);
  core.assign();
  park(core, "ada@1");
  core.say_active({});
  EXPECT_EQ(core.record_all(), "ada@1 inactive (not_digitally_active)");
}

TEST(AskingStatus, ParksAMemberWhomTheEndpointStillRefuses) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.say_active({"ada"});
  core.say_inactive();
  EXPECT_EQ(core.record_all(), "ada@1 inactive (not_digitally_active) silently");
  core.pass(150min);
  core.pass(1min);
  EXPECT_EQ(core.questions(), "ada");
}

TEST(AskingStatus, AsksForAtMostListMaxAtATimeAndOnceForEachOrganisation) {
  WorkerSettings settings = asking();
  settings.digital_status.list_max = 2;
  Core core(settings);
  core.assign();
  park(core, "ada@1 bob@1 cleo@1 dan@1 eva@1 sit:fay@1 sit:gil@1");
  std::size_t asked = 0;
  for (int questions = 0; questions < 20 && !core.questions().empty(); ++questions) {
    const std::string now = core.questions();
    EXPECT_LE(std::count(now.begin(), now.end(), '|'), 1);
    const std::string first = now.substr(0, now.find(" |"));
    asked += static_cast<std::size_t>(std::count(first.begin(), first.end(), ' ')) + 1;
    EXPECT_LE(std::count(first.begin(), first.end(), ' '), 1) << first;
    core.say_active({});
    (void)core.record_all();
    if (core.questions().empty()) core.pass(1min);
  }
  EXPECT_EQ(asked, 7);
}

TEST(AskingStatus, WaitsAWhileForMoreAndNotForever) {
  Core core(asking());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.pass(an_interval);
  EXPECT_EQ(core.questions(), "");
  ASSERT_TRUE(core.wakes_in());
  EXPECT_EQ(core.wakes_in(), 36s) << "a hundredth of the interval";
  core.pass(36s);
  EXPECT_EQ(core.questions(), "ada");
}

TEST(AskingStatus, LetsMembersOfAllPartitionsComeTogether) {
  Core core(asking());
  core.assign(0);
  core.assign(1);
  park(core, "ada@1/0 bob@1/1");
  EXPECT_EQ(core.questions(), "ada bob");
}

class StatusFails : public ::testing::TestWithParam<Kind> {};

TEST_P(StatusFails, AndItIsNoVerdict) {
  Core core(asking());
  core.assign();
  park(core, "ada@1 bob@1");
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(core.questions(), "ada bob");
    core.fail_question(GetParam());
    EXPECT_EQ(core.requests(), "");
    EXPECT_EQ(core.record_all(), "");
    core.pass(60s);
  }
  EXPECT_EQ(core.notices(Notice::Kind::status_unavailable), 1);
  EXPECT_FALSE(core.noticed(Notice::Kind::status_available));
  core.say_active({"ada", "bob"});
  EXPECT_THAT(core.requests(), AnyOf("ada@1 bob@1", "bob@1 ada@1"));
  EXPECT_EQ(core.notices(Notice::Kind::status_available), 1);
}

INSTANTIATE_TEST_SUITE_P(Table, StatusFails,
                         ::testing::Values(Kind::not_sent, Kind::refused, Kind::unreadable,
                                           Kind::unknown));

TEST(AskingStatus, WaitsAsLongAsTheStatusApiAsksFor) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.fail_question(Kind::refused, 10min);
  core.pass(9min);
  EXPECT_EQ(core.questions(), "");
  core.pass(1min);
  EXPECT_EQ(core.questions(), "ada");
}

TEST(AskingStatus, AsksAgainWithoutNoticeWhenAPartitionWasLostMeanwhile) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.fail_question(Kind::withheld);
  EXPECT_FALSE(core.noticed(Notice::Kind::status_unavailable));
  core.pass(1s);
  EXPECT_EQ(core.questions(), "ada");
}

TEST(AskingStatus, HalvesAListThatIsRefusedUntilTheOffenderStandsAlone) {
  Core core(asking());
  core.assign();
  park(core, "ada@1 bob@1 cleo@1 dan@1");
  std::set<std::string> asked_well;
  for (int i = 0; i < 50 && asked_well.size() < 3; ++i) {
    const std::string question = core.questions();
    if (question.empty()) {
      (void)core.record_all();
      core.pass(60s);
    } else if (question.find("cleo") != std::string::npos) {
      core.fail_question(Kind::refused_list);
    } else {
      for (const auto* name : {"ada", "bob", "dan"}) {
        if (question.find(name) != std::string::npos) asked_well.insert(name);
      }
      core.say_active({"ada", "bob", "dan"});
    }
  }
  EXPECT_EQ(asked_well.size(), 3);
  core.pass(60s);
  for (int i = 0; i < 5 && core.questions() == "cleo"; ++i) {
    core.fail_question(Kind::refused_list);
    (void)core.record_all();
    core.pass(60s);
  }
  EXPECT_EQ(core.questions(), "") << "it waits in the ledger";
  EXPECT_THAT(core.requests(), Not(HasSubstr("cleo")));
}

TEST(AskingStatus, TakesAMemberWhomTheAnswerLeavesOutForUnknown) {
  Core core(asking());
  core.assign();
  park(core, "ada@1 bob@1");
  core.say_active({}, {"ada"});
  (void)core.record_all();
  core.pass(an_interval);
  core.pass(1min);
  EXPECT_EQ(core.questions(), "ada") << "its interval has not grown, that of bob has";
  core.say_active({"ada"});
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(AskingStatus, LetsNothingExpireOfWhichNobodySpeaks) {
  WorkerSettings settings = asking();
  settings.member.inactive_expiry = 10h;
  Core core(settings);
  core.assign();
  park(core, "ada@1");
  for (int i = 0; i < 50; ++i) {
    if (!core.questions().empty()) core.say_active({}, {"ada"});
    EXPECT_THAT(core.record_all(), Not(HasSubstr("expired")));
    core.pass(1h);
  }
  std::string told;
  for (int i = 0; i < 10 && told.empty(); ++i) {
    if (!core.questions().empty()) core.say_active({});
    told = core.record_all();
    core.pass(1h);
  }
  EXPECT_EQ(told, "ada@1 expired (inactive_too_long)");
}

TEST(AskingStatus, SubmitsANewerChangeWithoutAsking) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  ASSERT_EQ(core.questions(), "ada");
  core.deliver("ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
  core.say_active({"ada"});
  EXPECT_EQ(core.requests(), "ada@2") << "the answer speaks of a change that is superseded";
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@2 accepted, ada@1 superseded by ada@2");
}

TEST(AskingStatus, SubmitsANewerChangeThatComesBeforeTheQuestion) {
  Core core(asking());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.pass(an_interval);
  core.deliver("ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
  core.pass(1min);
  EXPECT_EQ(core.questions(), "");
}

TEST(AskingStatus, TellsTheVerySameEventThatComesMeanwhile) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  core.say_active({});
  EXPECT_EQ(core.record_all(),
            "ada@1 inactive (not_digitally_active) silently, "
            "ada@1 inactive (not_digitally_active) silently")
      << "its result was published when it was parked";
}

TEST(AskingStatus, ForgetsTheAnswerForAPartitionThatWent) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.revoke();
  (void)core.record_all();
  core.say_active({"ada"});
  EXPECT_EQ(core.requests(), "");
  core.assign();
  core.pass(1min);
  EXPECT_EQ(core.questions(), "ada") << "whoever owns it now asks";
}

TEST(AskingStatus, EndsWithAQuestionUnderWay) {
  Core core(asking());
  core.assign();
  park(core, "ada@1");
  core.stop();
  (void)core.record_all();
  EXPECT_TRUE(core.finished());
}

TEST(AskingStatus, KeepsOneListInMemoryWhileNobodyAnswers) {
  WorkerSettings settings = asking();
  settings.digital_status.list_max = 3;
  Core core(settings);
  core.assign();
  std::string events;
  for (int i = 0; i < 20; ++i) events += (i == 0 ? "m" : " m") + std::to_string(i) + "@1";
  park(core, events);
  core.fail_question(Kind::refused);
  (void)core.record_all();
  EXPECT_LE(core.status().changes_held, 3);
  std::size_t asked = 0;
  for (int i = 0; i < 300 && asked < 20; ++i) {
    if (core.questions().empty()) {
      core.pass(1min);
    } else {
      const std::string question = core.questions();
      asked += static_cast<std::size_t>(std::count(question.begin(), question.end(), ' ')) + 1;
      core.say_active({});
    }
    (void)core.record_all();
  }
  EXPECT_EQ(asked, 20) << "none is forgotten";
}

TEST(AskingStatus, AsksNothingForAnOrganisationThatIsHeld) {
  Core core(asking());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.deliver("bob@1");
  core.answer(refused(401));
  core.pass(an_interval);
  core.pass(1min);
  EXPECT_EQ(core.questions(), "");
  ASSERT_EQ(core.requests(), "bob@1") << "the probe";
  core.accept();
  EXPECT_EQ(core.questions(), "ada");
}

}  // namespace
}  // namespace helsekontakter::test

// What the ledger tells of a change, and what it is told.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

WorkerSettings remembering() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.remembered_keys_max = 0;  // nothing but the ledger remembers
  settings.member.inactive_retry = 1h;
  settings.member.inactive_expiry = 100h;
  return settings;
}

/// A core that has delivered, submitted and recorded these events.
void conclude(Core& core, std::string_view events) {
  core.deliver(events);
  core.accept_all();
  (void)core.record_all();
}

TEST(Remembering, TellsAnOlderVersionWithoutARequest) {
  Core core(remembering());
  core.assign();
  conclude(core, "ada@2");
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "ada@1 superseded");
}

TEST(Remembering, SendsTheContentLastAcceptedNoMore) {
  Core core(remembering());
  core.assign();
  conclude(core, "ada@1=same");
  core.deliver("ada@2=same");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "ada@2=same unchanged");
  core.deliver("ada@1=other");
  EXPECT_EQ(core.record_all(), "ada@1=other superseded") << "version 2 counts as concluded";
  core.deliver("ada@3=other");
  EXPECT_EQ(core.requests(), "ada@3=other");
}

TEST(Remembering, SendsTheSameContentWhenToldTo) {
  WorkerSettings settings = remembering();
  settings.member.skip_unchanged = false;
  Core core(settings);
  core.assign();
  conclude(core, "ada@1=same");
  core.deliver("ada@2=same");
  EXPECT_EQ(core.requests(), "ada@2=same");
}

TEST(Remembering, LetsAResendOfTheSameVersionPassButNoOlderOne) {
  Core core(remembering());
  core.assign();
  conclude(core, "ada@2=same");
  core.deliver("ada@2=same~");
  EXPECT_EQ(core.requests(), "ada@2=same~");
  core.accept();
  (void)core.record_all();
  core.deliver("ada@1~");
  EXPECT_EQ(core.requests(), "");
}

TEST(Remembering, TellsTheVerySameEventItsResultAgain) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.answer(answered(core.request(), {{"ada@1", 400}}));
  const std::string first = core.record_all();
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), first);
}

TEST(Remembering, SendsAResendOnceThoughTheTopicIsReadTwice) {
  Core core(remembering());
  core.assign();
  conclude(core, "ada@2=same");
  conclude(core, "ada@2=same~");
  core.deliver("ada@2=same");
  EXPECT_EQ(core.record_all(), "ada@2=same unchanged");
  core.deliver("ada@2=same~");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "ada@2=same~ accepted");
}

TEST(Remembering, TriesAnInactiveMemberAgainUntilItIsActive) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  EXPECT_EQ(core.record_all(), "ada@1 inactive (not_digitally_active)");
  EXPECT_EQ(core.committed(), 1) << "it waits in the ledger, not in the input";
  core.pass(30min);
  EXPECT_EQ(core.requests(), "");
  core.pass(40min);
  EXPECT_EQ(core.requests(), "ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.pass(70min);
  EXPECT_EQ(core.requests(), "") << "the pause has grown";
  core.pass(70min);
  ASSERT_EQ(core.requests(), "ada@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
  core.pass(48h);
  EXPECT_EQ(core.requests(), "");
}

// Result ids are made of event and round (tests/unit/results).
TEST(Remembering, TellsEachRoundUnderAnIdOfItsOwnWhereResultsAreToTellOfEach) {
  for (const bool every : {true, false}) {
    WorkerSettings settings = remembering();
    settings.member.every_inactive = every;
    Core core(settings);
    core.assign();
    core.deliver("ada@1");
    std::vector<std::uint32_t> published;
    for (int round = 0; round < 3; ++round) {
      ASSERT_EQ(core.requests(), "ada@1") << "round " << round;
      core.say_inactive();
      const Conclusion& conclusion = core.recording().conclusions.at(0);
      if (conclusion.publishes) published.push_back(conclusion.round);
      (void)core.record_all();
      core.pass(5h);
    }
    const std::vector<std::uint32_t> told =
        every ? std::vector<std::uint32_t>{0, 1, 2} : std::vector<std::uint32_t>{0};
    EXPECT_EQ(published, told);
  }
}

TEST(Remembering, ForgetsNothingThatIsParkedWhileWhatIsDueIsAskedFor) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.let_due_wait();
  core.pass(2h);
  core.deliver("bob@1");
  core.say_inactive();
  (void)core.record_all();
  core.answer_due();
  EXPECT_EQ(core.requests(), "ada@1");
  core.accept();
  (void)core.record_all();
  core.pass(2h);
  EXPECT_EQ(core.requests(), "bob@1");
}

TEST(Remembering, KeepsNoKeyOfAPartitionThatWentBeforeTheLedgerAnswered) {
  Core core(remembering());
  core.assign();
  core.silence_ledger();
  core.deliver("ada@1 bob@1");
  EXPECT_EQ(core.status().keys_at_hand, 2u);
  core.lose();
  EXPECT_EQ(core.status().keys_at_hand, 0u);
}

TEST(Remembering, LetsAnInactiveChangeExpire) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  std::string last;
  for (int round = 0; round < 20 && last.find("expired") == std::string::npos; ++round) {
    if (core.in_flight() > 0) core.say_inactive();
    last = core.record_all();
    core.pass(core.wakes_in().value_or(1h));
  }
  EXPECT_EQ(last, "ada@1 expired (inactive_too_long)");
  core.pass(1000h);
  EXPECT_EQ(core.requests(), "");
}

TEST(Remembering, LetsNothingExpireByAClockThatIsWrongOrNotChecked) {
  for (const std::optional<Milliseconds> skew :
       {std::optional<Milliseconds>(-6min), std::optional<Milliseconds>(6min),
        std::optional<Milliseconds>()}) {
    Core core(remembering());
    core.assign();
    core.set_clock_skew(skew);
    core.deliver("ada@1^");
    for (int round = 0; round < 20; ++round) {
      if (core.in_flight() > 0) core.say_inactive();
      EXPECT_THAT(core.record_all(), Not(HasSubstr("expired")));
      core.pass(core.wakes_in().value_or(1h));
    }
    EXPECT_EQ(core.notices(Notice::Kind::clock_wrong), skew ? 1u : 0u);
    core.set_clock_skew(4min);
    for (int i = 0; i < 20 && core.in_flight() == 0; ++i) {
      core.pass(core.wakes_in().value_or(1h));
    }
    ASSERT_EQ(core.in_flight(), 1u);
    core.say_inactive();
    EXPECT_EQ(core.record_all(), "ada@1^ expired (inactive_too_long)");
    EXPECT_EQ(core.notices(Notice::Kind::clock_right), skew ? 1u : 0u);
  }
}

TEST(Remembering, TakesEachPeersClockForItself) {
  using Peer = ClockSeen::Peer;
  Core core(remembering());
  core.assign();
  core.see_clock(Peer::status_api, 6min);
  for (int i = 0; i < 3; ++i) core.see_clock(Peer::endpoint, 0ms);
  core.see_clock(Peer::status_api, 6min);
  EXPECT_EQ(core.notices(Notice::Kind::clock_wrong), 1u) << "the other's clock says nothing of it";
  core.deliver("ada@1^");
  core.pass(200h);
  core.see_clock(Peer::status_api, 6min);
  core.say_inactive();
  EXPECT_THAT(core.record_all(), Not(HasSubstr("expired")));
  EXPECT_FALSE(core.noticed(Notice::Kind::clock_right));
  core.see_clock(Peer::status_api, 1min);
  EXPECT_TRUE(core.noticed(Notice::Kind::clock_right));
}

TEST(Remembering, ForgetsTheClockOfAPeerThatIsSilent) {
  using Peer = ClockSeen::Peer;
  Core core(remembering());
  core.assign();
  core.see_clock(Peer::endpoint, 6min);
  core.set_clock_skew({});
  core.deliver("ada@1^");
  core.pass(200h);
  core.see_clock(Peer::status_api, 0ms);
  EXPECT_TRUE(core.noticed(Notice::Kind::clock_right));
  core.say_inactive();
  EXPECT_EQ(core.record_all(), "ada@1^ expired (inactive_too_long)");
}

TEST(Remembering, LetsNothingExpireByAClockThatNobodyConfirmsAnyMore) {
  Core core(remembering());
  core.assign();
  core.see_clock(ClockSeen::Peer::endpoint, 6min);
  core.set_clock_skew({});
  core.deliver("ada@1^");
  core.pass(200h);
  core.say_inactive();
  EXPECT_THAT(core.record_all(), Not(HasSubstr("expired")));
}

TEST(Remembering, LetsNothingExpireByAClockThatWasRightLongAgo) {
  using Peer = ClockSeen::Peer;
  Core core(remembering());
  core.assign();
  core.see_clock(Peer::endpoint, 0ms);
  core.see_clock(Peer::status_api, 6min);
  core.set_clock_skew({});
  core.deliver("ada@1^");
  core.pass(200h);
  core.say_inactive();
  EXPECT_THAT(core.record_all(), Not(HasSubstr("expired")));
}

TEST(Remembering, LetsAnInactiveMembershipExpireWhenItIsOver) {
  Core core(remembering());
  core.assign();
  core.deliver("bob@1");
  core.accept();
  (void)core.record_all();
  core.pass(72h);
  core.deliver("cleo@1^ bob@2^");
  core.say_inactive();
  EXPECT_EQ(core.record_all(),
            "cleo@1^ expired (inactive_too_long), bob@2^ inactive (not_digitally_active)")
      << "bob was accepted once, and his end is not yet told";
}

TEST(Remembering, SupersedesAParkedChangeWhenANewerOneIsConcluded) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.deliver("ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
  core.pass(90min);
  EXPECT_EQ(core.requests(), "ada@2") << "the parked one may not be submitted meanwhile";
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@2 accepted, ada@1 superseded by ada@2");
  core.pass(48h);
  EXPECT_EQ(core.requests(), "");
}

TEST(Remembering, TriesWhatWasParkedUnderAnEarlierNumbering) {
  Core core(remembering());
  core.assign();
  core.skip_to(1'000);  // a queue's messages are counted by the process that reads them
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();

  Core next(remembering(), core.take_ledger());
  next.assign(0, 0, {.concluded = {}, .submitted_to = 0, .clean = true, .unsettled = false}, 0);
  next.pass(48h);
  EXPECT_EQ(next.requests(), "ada@1");
  next.deliver("bob@1");
  std::vector<std::string> settled;
  for (next.accept_all(); next.is_recording(); (void)next.record(), next.accept_all()) {
    for (const Conclusion& conclusion : next.recording().conclusions) {
      if (conclusion.settles) settled.emplace_back(conclusion.delivery->texts[Texts::Field::id]);
    }
  }
  EXPECT_THAT(settled, ElementsAre("bob@1")) << "ada's offset is another delivery's now";
}

TEST(Remembering, TellsAChangeThatIsOlderThanAParkedOne) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@2");
  core.say_inactive();
  (void)core.record_all();
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "ada@1 superseded");
}

TEST(Remembering, DoesNotParkWhatANewerChangeReplaces) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.deliver("ada@2");
  core.say_inactive();
  (void)core.record_all();
  ASSERT_EQ(core.requests(), "ada@2");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@2 accepted, ada@1 superseded by ada@2");
}

TEST(Remembering, KeepsAParkedChangeThroughARebalance) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.revoke();
  (void)core.record_all();
  core.assign();
  EXPECT_EQ(core.requests(), "");
  core.pass(70min);
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Remembering, TellsTheLedgerNothingOfARecordThatFailed) {
  Core core(remembering());
  core.assign();
  core.deliver("ada@1");
  core.accept();
  core.fail_record();
  core.assign();
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "ada@1");
}

}  // namespace
}  // namespace helsekontakter::test

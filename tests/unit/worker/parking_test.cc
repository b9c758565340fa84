// What cannot be submitted waits in the ledger.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

WorkerSettings parking() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.remembered_keys_max = 0;
  settings.retry.park_after = 2min;
  settings.retry.backoff_first = settings.retry.backoff_max = 1min;
  settings.batch.entries_max = 2;
  return settings;
}

/// sio is held: its first request was refused.
void hold_sio(Core& core, std::string_view event) {
  core.deliver(event);
  core.answer(refused(403));
  (void)core.record_all();
}

/// Refuses all until so many deliveries are settled; what the last record told.
std::string refuse_until_settled(Core& core, Offset committed) {
  std::string told;
  for (int i = 0; i < 20 && core.committed() < committed; ++i) {
    while (core.in_flight() > 0) core.answer(refused(403));
    told = core.record_all();
    core.pass(core.wakes_in().value_or(10s));
  }
  EXPECT_EQ(core.committed(), committed) << told;
  return told;
}

TEST(Parking, SettlesTheChangesOfAHeldOrganizationAfterAWhile) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1");
  core.deliver("bob@1");
  core.pass(1s);
  EXPECT_EQ(core.record_all(), "");
  EXPECT_EQ(core.committed(), 0);
  core.pass(10s);
  ASSERT_EQ(core.requests(), "");
  core.pass(2min - 12s);
  EXPECT_EQ(core.committed(), 0) << "not before retry.park_after_s";
  core.pass(2s);
  EXPECT_EQ(core.committed(), 0);
}

TEST(Parking, MakesRoomAtASourceThatWaitsForSettlements) {
  WorkerSettings settings = parking();
  settings.unsettled_max = 10;
  Core core(settings);
  core.assign();
  hold_sio(core, "ada@1");
  core.deliver("bob@1 cat@1 dan@1 eve@1");
  core.pass(1s);
  EXPECT_EQ(core.record_all(), "") << "five of ten";
  core.deliver("fay@1");
  core.pass(1s);
  EXPECT_EQ(core.record_all(), "bob@1 waits") << "six of ten, long before retry.park_after_s";
  core.pass(10s);
  EXPECT_EQ(core.record_all(), "");
}

TEST(Parking, TellsNothingOfAChangeThatWaitsAndItsVerdictInTheEnd) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1 bob@1");
  (void)refuse_until_settled(core, 2);
  for (int i = 0; i < 20 && core.in_flight() == 0; ++i) core.pass(core.wakes_in().value_or(1min));
  EXPECT_THAT(core.requests(), AnyOf("ada@1 bob@1", "bob@1 ada@1")) << "they probe";
  core.accept();
  EXPECT_THAT(core.record_all(), AllOf(HasSubstr("ada@1 accepted"), HasSubstr("bob@1 accepted")));
}

TEST(Parking, BringsEverythingBackWhenTheHoldEnds) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1 bob@1");
  core.deliver("cleo@1 dan@1 eve@1");
  (void)refuse_until_settled(core, 5);
  for (int i = 0; i < 20 && core.in_flight() == 0; ++i) core.pass(core.wakes_in().value_or(1min));
  const Milliseconds quick = 5s;  // against the hour that they would wait
  std::string accepted;
  for (int i = 0; i < 5; ++i) {
    while (core.in_flight() > 0) core.accept();
    accepted += core.record_all() + ", ";
    core.pass(quick / 5);
  }
  for (const std::string event : {"ada@1", "bob@1", "cleo@1", "dan@1", "eve@1"}) {
    EXPECT_THAT(accepted, HasSubstr(event + " accepted"));
  }
}

TEST(Parking, LetsOtherOrganizationsGoAhead) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1");
  core.deliver("sit:bob@1");
  EXPECT_EQ(core.requests(), "sit:bob@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "sit:bob@1 accepted");
}

TEST(Parking, ParksAnEntryThatFailsWhileOthersSucceed) {
  Core core(parking());
  core.assign();
  core.deliver("ada@1");
  std::string told;
  for (int i = 0; i < 30 && told.find("waits") == std::string::npos; ++i) {
    core.deliver("sit:m" + std::to_string(i) + "@1");
    while (core.in_flight() > 0) {
      if (core.requests().starts_with("ada")) {
        core.answer(refused(500));
      } else {
        core.accept();
      }
    }
    told = core.record_all();
    core.pass(core.wakes_in().value_or(10s));
  }
  EXPECT_THAT(told, HasSubstr("ada@1 waits"));
  core.pass(5min);
  EXPECT_EQ(core.requests(), "ada@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
}

/// Until the time is over, ada's requests fail and all others succeed; what was told of ada last.
std::string fail_ada(Core& core, Milliseconds time) {
  std::string told;
  const Milliseconds until = core.time() + time;
  while (core.time() < until) {
    core.deliver("sit:m" + std::to_string(core.time().count()) + "@1");
    while (core.in_flight() > 0) {
      if (core.requests().starts_with("ada")) {
        core.answer(refused(500));
      } else {
        core.accept();
      }
    }
    const std::string record = core.record_all();
    if (const auto at = record.find("ada@1"); at != std::string::npos) {
      told = record.substr(at, record.find(',', at) - at);
      if (told.find("waits") == std::string::npos) return told;
    }
    core.pass(std::min(core.wakes_in().value_or(10s), until - core.time()));
  }
  return told;
}

/// Sio is refused until then; what is told when bob of sio is accepted and ada is to come later.
std::string end_hold_of_sio(Core& core, Milliseconds until) {
  while (core.time() < until) {
    while (core.in_flight() > 0) core.answer(refused(403));
    (void)core.record_all();
    core.pass(5min);
  }
  std::string told;
  for (int i = 0; i < 20 && told.empty(); ++i) {
    while (core.in_flight() > 0) core.accept({{"ada@1", 503}});
    told = core.record_all();
    core.pass(1min);
  }
  return told;
}

TEST(Parking, LetsAnEntryThatFailedForTooLongExpire) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 100h;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  EXPECT_EQ(fail_ada(core, 99h), "ada@1 waits");
  EXPECT_EQ(fail_ada(core, 20h), "ada@1 expired (exhausted_too_long)");
  core.deliver("ada@1");
  EXPECT_EQ(core.record_all(), "ada@1 expired (exhausted_too_long)") << "its stored result";
}

TEST(Parking, LetsNoEntryExpireByAClockThatIsWrong) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 3h;
  Core core(settings);
  core.assign();
  core.set_clock_skew(6min);
  core.deliver("ada@1");
  EXPECT_EQ(fail_ada(core, 9h), "ada@1 waits");
  core.set_clock_skew(0ms);
  EXPECT_EQ(fail_ada(core, 3h), "ada@1 expired (exhausted_too_long)");
}

TEST(Parking, DoesNotCountTheTimeOfAHoldAgainstAnEntryThatFailsLater) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 5h;
  Core core(settings);
  core.assign();
  hold_sio(core, "ada@1 bob@1");
  EXPECT_EQ(end_hold_of_sio(core, 9h), "bob@1 accepted") << "which ends the hold";
  ASSERT_EQ(core.committed(), 2) << "ada waits in the ledger";
  EXPECT_EQ(fail_ada(core, 4h), "ada@1 waits");
  EXPECT_EQ(fail_ada(core, 4h), "ada@1 expired (exhausted_too_long)");
}

/// Half an hour before it, one at most for it, and three quarters after it.
TEST(Parking, CountsAHoldBetweenTwoFailuresAsOneIntervalAtMost) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 150min;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  EXPECT_EQ(fail_ada(core, 30min), "ada@1 waits");
  core.deliver("bob@1");
  EXPECT_EQ(end_hold_of_sio(core, 48h), "bob@1 accepted");
  EXPECT_EQ(fail_ada(core, 45min), "ada@1 waits");
  EXPECT_EQ(fail_ada(core, 5h), "ada@1 expired (exhausted_too_long)");
}

/// Each time the partition comes back, what waits is tried at once.
TEST(Parking, CountsNoTimeThatAnEntryDidNotWait) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 20h;
  settings.retry.backoff_first = settings.retry.backoff_max = 1s;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  EXPECT_EQ(fail_ada(core, 10min), "ada@1 waits");
  const Milliseconds began = core.time();
  std::string told = "ada@1 waits";
  while (told == "ada@1 waits" && core.time() < 100h) {
    const ProgressMark mark = core.mark();
    const Offset committed = core.committed();
    core.lose();
    core.assign(0, committed, mark, committed);
    told = fail_ada(core, 10min);
  }
  EXPECT_EQ(told, "ada@1 expired (exhausted_too_long)");
  EXPECT_GT(core.time() - began, 18h);
}

/// An answer that says "later" is an answer: what stands behind the endpoint may be down.
TEST(Parking, LetsNoEntryExpireThatIsAnsweredWithLater) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 1h;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  while (core.time() < 24h) {
    while (core.in_flight() > 0) core.accept({{"ada@1", 503}});
    EXPECT_THAT(core.record_all(), Not(HasSubstr("expired")));
    core.pass(core.wakes_in().value_or(1min));
  }
}

TEST(Parking, DoesNotCountTheTimeThatAMemberWasInactive) {
  WorkerSettings settings = parking();
  settings.retry.exhausted_expiry = 5h;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  while (core.time() < 100h) {
    while (core.in_flight() > 0) core.say_inactive();
    (void)core.record_all();
    core.pass(core.wakes_in().value_or(1h));
  }
  EXPECT_EQ(fail_ada(core, 3h), "ada@1 waits");
}

/// The neighbours of one that fails are not parked for its failures.
TEST(Parking, TriesEachAloneBeforeItCountsAsExhausted) {
  WorkerSettings settings = parking();
  settings.batch.entries_max = 16;
  settings.retry.park_after = 10h;
  Core core(settings);
  core.assign();
  std::string many = "zed@1";
  for (int i = 1; i < 16; ++i) many += " n" + std::to_string(i) + "@1";
  core.deliver(many);
  std::string told;
  for (int i = 0; i < 60; ++i) {
    core.deliver("sit:m" + std::to_string(i) + "@1");
    while (core.in_flight() > 0) {
      const std::string first = core.requests().substr(0, core.requests().find('|'));
      if (first.find("zed") == std::string::npos) {
        core.accept();
      } else {
        core.answer(refused(500));
      }
    }
    told += core.record_all() + ", ";
    core.pass(core.wakes_in().value_or(10s));
  }
  EXPECT_THAT(told, HasSubstr("zed@1 waits"));
  for (int i = 1; i < 16; ++i) {
    EXPECT_THAT(told, HasSubstr("n" + std::to_string(i) + "@1 accepted"));
    EXPECT_THAT(told, Not(HasSubstr("n" + std::to_string(i) + "@1 waits")));
  }
}

/// The one that is parked may have arrived without an answer.
TEST(Parking, SubmitsTheContentAcceptedBeforeOnceMoreOverWhatIsParked) {
  Core core(parking());
  core.assign();
  core.deliver("ada@1=member");
  core.accept();
  (void)core.record_all();
  core.deliver("ada@2=ended");
  std::string told;
  for (int i = 0; i < 30 && told.find("waits") == std::string::npos; ++i) {
    core.deliver("sit:m" + std::to_string(i) + "@1");
    while (core.in_flight() > 0) {
      if (core.requests().starts_with("ada")) {
        core.answer(unknown());
      } else {
        core.accept();
      }
    }
    told = core.record_all();
    if (told.find("waits") == std::string::npos) core.pass(core.wakes_in().value_or(10s));
  }
  ASSERT_THAT(told, HasSubstr("ada@2=ended waits"));
  core.deliver("ada@3=member");
  EXPECT_EQ(core.requests(), "ada@3=member");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@3=member accepted, ada@2=ended superseded by ada@3=member");
}

/// Its partition is lost and comes back while the newest is in flight: the one in the middle may be
/// what the endpoint holds.
TEST(Parking, IsNotDeceivedByContentThatWentBackWhenAPartitionComesBack) {
  WorkerSettings settings = parking();
  settings.api.settle_time = 1s;
  Core core(settings);
  core.assign();
  core.deliver("ada@1=member");
  core.accept();
  (void)core.record_all();
  core.deliver("ada@2=ended");
  core.answer(unknown());
  core.deliver("ada@3=member");
  core.pass(2min);
  ASSERT_EQ(core.requests(), "ada@3=member");
  core.lose();
  core.assign(0, 1, {.submitted_to = 3}, 3);
  core.skip_to(1);
  core.deliver("ada@2=ended ada@3=member");
  ASSERT_EQ(core.requests(), "ada@3=member") << "that of before";
  core.answer(refused(503));
  EXPECT_EQ(core.record_all(), "");
  core.pass(2min);
  EXPECT_EQ(core.requests(), "ada@3=member");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@3=member accepted, ada@2=ended superseded by ada@3=member");
}

/// A source reads on as long as there is room, so that there is little room most of the time.
TEST(Parking, LeavesAnEntryThatFailedTwiceToItsNextAttemptThoughMemoryIsShort) {
  WorkerSettings settings = parking();
  settings.memory_bytes_max = 40'000;
  settings.retry.park_after = 10min;
  Core core(settings);
  core.assign();
  core.deliver("ada@1 sit:bob@1");
  core.answer("ada@1", refused(500));
  core.accept();
  EXPECT_EQ(core.record_all(), "sit:bob@1 accepted");
  core.pass(1min);
  ASSERT_EQ(core.requests(), "ada@1");
  core.deliver("sit:large@1*15000");
  core.answer("ada@1", refused(500));
  EXPECT_EQ(core.record_all(), "") << "it is not put off";
  core.pass(1min);
  EXPECT_THAT(core.requests(), HasSubstr("ada@1"));
}

/// The hour that it was put off for while its organisation was held is no failure of its own.
TEST(Parking, LetsAnEntryWaitForItsFailuresNotForTheHoldBefore) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1 bob@1");
  core.deliver("cleo@1 dan@1 eve@1 fay@1 gus@1 hal@1");
  (void)refuse_until_settled(core, 8);
  std::string told;
  for (int i = 0; i < 60; ++i) {
    core.deliver("sit:m" + std::to_string(i) + "@1");
    while (core.in_flight() > 0) {
      if (core.requests().substr(0, core.requests().find('|')).find("hal") != std::string::npos) {
        core.answer(refused(500));
      } else {
        core.accept();
      }
    }
    told = core.record_all();
    if (told.find("hal@1 waits") != std::string::npos) break;
    core.pass(core.wakes_in().value_or(10s));
  }
  ASSERT_THAT(told, HasSubstr("hal@1 waits"));
  core.pass(5min);
  EXPECT_EQ(core.requests(), "hal@1");
}

/// Its probes give way too when memory is short; they have to come back as probes.
TEST(Parking, FindsTheEndOfAHoldThoughItsProbesHadToMakeRoom) {
  WorkerSettings settings = parking();
  settings.memory_bytes_max = 40'000;
  Core core(settings);
  core.assign();
  hold_sio(core, "ada@1*3000 bob@1*3000");
  (void)refuse_until_settled(core, 2);
  while (core.in_flight() > 0) core.answer(refused(403));
  core.pass(2s);
  ASSERT_EQ(core.status().changes_held, 2u) << "they are at hand";
  core.deliver("sit:large@1*9000");
  EXPECT_THAT(core.record_all(), HasSubstr("ada@1 waits"));
  Milliseconds waited{0};
  const auto wait_for_requests = [&](std::size_t requests) {
    while (core.in_flight() < requests && waited < 2h) {
      const Milliseconds next = core.wakes_in().value_or(1min);
      waited += next;
      core.pass(next);
    }
  };
  wait_for_requests(2);
  core.answer("ada@1", refused(403));
  EXPECT_THAT(core.record_all(), HasSubstr("ada@1 waits"));
  int put_off_again = 0;
  for (int second = 0; second < 20; ++second) {
    core.pass(1s);
    if (core.record_all().find("waits") != std::string::npos) ++put_off_again;
  }
  EXPECT_EQ(put_off_again, 0) << "they come when it is time for a probe";
  core.accept();
  (void)core.record_all();
  wait_for_requests(1);
  EXPECT_LT(waited, 10min);
  EXPECT_THAT(core.requests(), AnyOf("ada@1 bob@1", "bob@1 ada@1"));
}

TEST(Parking, LeavesTheBacklogInTheTopicWhileTheEndpointIsDown) {
  Core core(parking());
  core.assign();
  core.deliver("ada@1 bob@1 sit:cleo@1 sammen:dan@1");
  for (int i = 0; i < 30; ++i) {
    while (core.in_flight() > 0) core.answer(refused(503));
    EXPECT_EQ(core.record_all(), "");
    core.pass(1min);
  }
  EXPECT_EQ(core.committed(), 0);
}

TEST(Parking, KeepsTheNewestVersionAloneInTheLedger) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1");
  core.deliver("ada@2");
  const std::string told = refuse_until_settled(core, 2);
  EXPECT_EQ(told, "ada@2 waits, ada@1 superseded by ada@2");
}

TEST(Parking, AsksForWhatWaitsAnewWhenAPartitionComesBack) {
  Core core(parking());
  core.assign();
  hold_sio(core, "ada@1");
  (void)refuse_until_settled(core, 1);
  core.lose();
  core.assign();
  for (int i = 0; i < 20 && core.in_flight() == 0; ++i) core.pass(core.wakes_in().value_or(1min));
  EXPECT_EQ(core.requests(), "ada@1");
}

}  // namespace
}  // namespace helsekontakter::test

// Partitions come and go: what is durable, what is read first, what is let go.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

ProgressMark submitted_to(Offset offset) {
  ProgressMark mark;
  mark.submitted_to = offset;
  return mark;
}

TEST(Partitions, SubmitNothingBeforeThePromiseIsDurable) {
  Core core;
  core.assign(0, 0, submitted_to(0), 0);
  core.deliver("ada@1");
  core.pass(1h);
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record(), "");
  EXPECT_GT(core.mark().submitted_to, 0);
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Partitions, SubmitAtOnceWhatAnEarlierPromiseCovers) {
  Core core;
  core.assign(0, 0, submitted_to(0), 0);
  core.deliver("ada@1");
  (void)core.record();
  core.deliver("sit:bob@1");
  EXPECT_EQ(core.requests(), "ada@1 | sit:bob@1");
}

TEST(Partitions, AreReadUpToThePromiseBeforeTheFirstSubmission) {
  Core core;
  core.assign(0, 10, submitted_to(12), 50);
  core.deliver("ada@1");
  (void)core.record_all();
  EXPECT_EQ(core.status().recovering, 1u);
  EXPECT_EQ(core.requests(), "");
  core.deliver("ada@2");
  (void)core.record_all();
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Partitions, AreReadToTheirEndWhereThePromiseLiesBeyondIt) {
  Core core;
  core.assign(0, 10, submitted_to(80), 11);
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Partitions, CountGapsAsRead) {
  Core core;
  core.assign(0, 10, submitted_to(15), 15);
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  core.reach(0, 15);
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Partitions, WaitOutWhatTheLastOwnerLeftUnsettled) {
  Core core;
  ProgressMark mark = submitted_to(10);
  mark.unsettled = true;
  core.assign(0, 10, mark, 10);
  core.deliver("ada@1");
  EXPECT_EQ(core.record(), "");
  EXPECT_TRUE(core.mark().unsettled) << "not waited out: the next owner must know";
  EXPECT_EQ(core.wakes_in(), 30s);
  core.pass(29'999ms);
  EXPECT_EQ(core.requests(), "");
  core.pass(1ms);
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Partitions, WaitAsLongAsWhatWasDeliveredBeforeComesAgain) {
  Core core;
  ProgressMark mark = submitted_to(0);
  mark.unsettled = true;
  core.assign(0, 0, mark, 0);
  core.deliver("ada@1");
  core.come_again();
  core.pass(29s);
  core.deliver("bob@1");
  core.come_again();
  core.pass(29s);
  EXPECT_EQ(core.requests(), "");
  core.deliver("ada@2");  // may have been executed by whoever had it before
  core.come_again();
  core.pass(29'999ms);
  EXPECT_EQ(core.requests(), "");
  (void)core.record_all();
  core.pass(1ms);
  (void)core.record_all();
  EXPECT_THAT(core.requests(), testing::AnyOf("ada@2 bob@1", "bob@1 ada@2"));
  core.accept_all();
  (void)core.record_all();
  core.come_again();
  core.deliver("cleo@1");
  (void)core.record_all();
  EXPECT_EQ(core.requests(), "cleo@1") << "it is over";
}

TEST(Partitions, DropWhatTheMarkSaysIsConcluded) {
  Core core;
  ProgressMark mark = submitted_to(13);
  mark.concluded = {{11, 12}};
  core.assign(0, 10, mark, 13);
  core.deliver("ada@1 bob@1 cleo@1");
  EXPECT_EQ(core.requests(), "ada@1 cleo@1");
}

TEST(Partitions, CommitBelowWhatIsOpenAndMarkWhatIsConcludedAbove) {
  Core core;
  core.assign();
  core.deliver("ada@1 bob@1 cleo@1");
  core.accept({{"ada@1", 503}});
  (void)core.record_all();
  EXPECT_EQ(core.committed(), 0);
  EXPECT_THAT(core.mark().concluded, ElementsAre(Pair(1, 3)));
}

TEST(Partitions, AreReleasedWhenTheirRequestsAreOverAndRecorded) {
  Core core;
  core.assign(0, 0, submitted_to(0), 0);
  core.deliver("ada@1");
  (void)core.record();
  core.revoke();
  core.deliver("bob@1");
  EXPECT_THAT(core.orders().release, IsEmpty());
  core.accept();
  EXPECT_THAT(core.orders().release, IsEmpty());
  EXPECT_EQ(core.record(), "ada@1 accepted");
  EXPECT_THAT(core.orders().release, ElementsAre(Pair(Partition{0}, Epoch{1})));
  EXPECT_EQ(core.committed(), 1);
  EXPECT_TRUE(core.mark().clean);
  EXPECT_EQ(core.mark().submitted_to, 1);
  EXPECT_EQ(core.status().partitions, 0u);
}

TEST(Partitions, AreReleasedWithoutWhatDidNotEnd) {
  Core core;
  core.assign(0, 0, submitted_to(0), 0);
  core.deliver("ada@1 bob@1");
  (void)core.record();
  core.revoke();
  core.accept({{"ada@1", 503}});
  EXPECT_EQ(core.record(), "bob@1 accepted");
  EXPECT_EQ(core.committed(), 0);
  EXPECT_EQ(core.mark().submitted_to, 2);
  core.pass(24h);
  EXPECT_EQ(core.requests(), "");
}

TEST(Partitions, SayThatARequestMayStillBeExecuted) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.answer(unknown());
  core.revoke();
  (void)core.record();
  EXPECT_THAT(core.orders().release, ElementsAre(Pair(Partition{0}, Epoch{1})));
  EXPECT_TRUE(core.mark().unsettled);
  EXPECT_FALSE(core.mark().clean);
}

TEST(Partitions, AreKeptUntilNothingMayBeExecutedWhenThatCannotBeWrittenDown) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.answer(unknown());
  core.revoke();
  core.fail_record();
  EXPECT_THAT(core.orders().release, IsEmpty());
  core.pass(29'999ms);
  EXPECT_THAT(core.orders().release, IsEmpty());
  EXPECT_EQ(core.wakes_in(), 1ms);
  core.pass(1ms);
  EXPECT_THAT(core.orders().release, ElementsAre(Pair(Partition{0}, Epoch{1})));
}

TEST(Partitions, AreReadAgainAfterAFailedRecord) {
  Core core;
  core.assign();
  core.deliver("ada@1 bob@1");
  core.accept();
  core.fail_record();
  EXPECT_THAT(core.orders().reread, ElementsAre(Partition{0}));
  core.assign();
  core.deliver("ada@1 bob@1");
  EXPECT_EQ(core.requests(), "ada@1 bob@1");
  core.accept();
  EXPECT_EQ(core.record(), "ada@1 accepted, bob@1 accepted");
}

/// A record failed while ada@1 is in flight: the partition is to be read again.
void fail_beside_a_request(Core& core) {
  core.assign();
  core.deliver("ada@1 sit:bob@1");
  core.answer("sit:bob@1", answered(core.request(1)));
  core.fail_record();
}

TEST(Partitions, AreNotReleasedBesideARequestWhenRevokedBeforeTheyAreReadAgain) {
  Core core;
  fail_beside_a_request(core);
  core.revoke();
  core.pass(1s);
  EXPECT_THAT(core.orders().release, IsEmpty());
  core.accept();
  EXPECT_THAT(core.orders().release, ElementsAre(Pair(Partition{0}, Epoch{1})));
}

TEST(Partitions, AreNotReleasedBesideARequestWhenAssignedDuringAStop) {
  Core core;
  fail_beside_a_request(core);
  core.stop();
  EXPECT_FALSE(core.finished());
  core.assign();
  EXPECT_THAT(core.orders().release, IsEmpty());
  core.answer(unknown());
  core.pass(29'999ms);
  EXPECT_THAT(core.orders().release, IsEmpty());
  EXPECT_FALSE(core.finished());
  core.pass(1ms);
  EXPECT_THAT(core.orders().release, ElementsAre(Pair(Partition{0}, Epoch{2})));
  EXPECT_TRUE(core.finished());
}

TEST(Partitions, PublishNothingOfWhatWasLost) {
  Core core;
  core.assign(0);
  core.assign(1);
  core.deliver("ada@1 sit:bob@1/1");
  core.lose(0);
  core.accept_all();
  EXPECT_EQ(core.record_all(), "sit:bob@1 accepted");
}

TEST(Partitions, KeepAKeyExcludedWhileItsRequestOutlivesThem) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.lose();
  core.assign();
  core.deliver("ada@1 ada@2");
  EXPECT_EQ(core.requests(), "ada@1");
  core.accept();
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Partitions, ArePausedWhileTheirShareOfTheMemoryIsUsedUp) {
  WorkerSettings settings = prompt();
  settings.memory_bytes_max = 20'000;
  Core core(settings);
  core.assign();
  core.deliver("ada@1*4000 bob@1*4000 cleo@1*4000");
  EXPECT_THAT(core.orders().pause, ElementsAre(Pair(Partition{0}, Epoch{1})));
  core.accept();
  EXPECT_THAT(core.orders().resume, IsEmpty()) << "what is not recorded is still here";
  (void)core.record_all();
  EXPECT_THAT(core.orders().resume, ElementsAre(Pair(Partition{0}, Epoch{1})));
  EXPECT_EQ(core.status().bytes_held, 0u);
}

/// What is taken in is promised, and the next owner has to read it back. Each would read a little
/// more before it stops.
TEST(Partitions, TakeInNoMoreThanTheirShareWhoeverOwnsThem) {
  WorkerSettings settings = prompt();
  settings.memory_bytes_max = 100'000;
  std::string all;
  for (int i = 0; i < 2'000; ++i) all += " m" + std::to_string(i) + "@1";
  ProgressMark mark;
  std::size_t first = 0;
  for (int owner = 0; owner < 20; ++owner) {
    Core core(settings);
    core.assign(0, 0, mark, 2'000);
    core.deliver(all);
    bool recorded = false;
    for (int i = 0; i < 10; ++i) {
      recorded = recorded || core.is_recording();
      (void)core.record_all();
      while (core.in_flight() > 0) core.answer(refused(503));
      core.pass(1min);
    }
    if (recorded) mark = core.mark();
    if (owner == 0) first = static_cast<std::size_t>(mark.submitted_to);
  }
  EXPECT_LT(first, 1'000u) << "all of it was delivered";
  EXPECT_LE(static_cast<std::size_t>(mark.submitted_to), first + 100) << "nor more by each of them";
  Core core(settings);
  core.assign(0, 0, mark, 2'000);
  core.deliver(all);
  (void)core.record_all();
  for (int i = 0; i < 5'000 && core.committed() < 2'000; ++i) {
    while (core.in_flight() > 0) core.accept();
    (void)core.record_all();
    core.pass(core.wakes_in().value_or(1s));
  }
  EXPECT_EQ(core.committed(), 2'000) << "what had to wait is taken in when there is room";
}

TEST(Partitions, AreNotReadOnWhenTheMetadataCannotHoldTheirOffsets) {
  WorkerSettings settings = prompt();
  settings.metadata_characters_max = 100;
  Core core(settings);
  core.assign(0, 0, {}, 0);
  core.deliver("o1:stuck@1");
  std::string many;
  for (int i = 0; i < 1'500; ++i) many += " o1:m" + std::to_string(i) + "@1";
  core.deliver(many);
  EXPECT_THAT(core.orders().pause, ElementsAre(Pair(Partition{0}, Epoch{1})));
  (void)core.record_all();
  EXPECT_LE(encode(core.mark(), 0).size(), 100u);
  core.pass(61s);
  EXPECT_TRUE(core.noticed(Notice::Kind::partition_full));
}

TEST(Partitions, EndTheirRecoveryWhenADeliveryBeyondItHasToWait) {
  WorkerSettings settings = prompt();
  settings.metadata_characters_max = 100;
  settings.batch.entries_max = 1'000;
  Core core(settings);
  core.assign(0, 0, submitted_to(424), 700);
  std::string many = "ada@1";
  for (int i = 1; i < 400; ++i) many += " m" + std::to_string(i) + "@1";
  core.deliver(many);
  EXPECT_EQ(core.requests(), "");
  core.skip_to(600);
  core.deliver("late@1");
  EXPECT_EQ(core.in_flight(), 1u);
}

TEST(Partitions, DrainAndFinish) {
  WorkerSettings settings = prompt();
  settings.drain = true;
  Core core(settings);
  core.assign(0, 0, submitted_to(2), 2);
  core.deliver("ada@1 bob@1");
  core.accept();
  EXPECT_FALSE(core.finished());
  (void)core.record_all();
  EXPECT_TRUE(core.finished());
  EXPECT_THAT(core.orders().release, ElementsAre(Pair(Partition{0}, Epoch{1})));
}

TEST(Partitions, AreAllAwaitedBeforeTheyAreDrained) {
  WorkerSettings settings = prompt();
  settings.drain = true;
  Core core(settings);
  core.assign_together(2);
  core.assign(0);
  EXPECT_FALSE(core.finished()) << "the first one is empty; the other is still to come";
  core.assign(1, 0, submitted_to(1), 1);
  core.deliver("ada@1/1");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
  EXPECT_TRUE(core.finished());
}

TEST(Partitions, StopWhenWhatIsInFlightIsRecorded) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.deliver("ada@2");
  core.stop();
  EXPECT_FALSE(core.finished());
  core.accept();
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
  EXPECT_TRUE(core.finished());
  core.assign(1);
  EXPECT_THAT(core.orders().release,
              ElementsAre(Pair(Partition{0}, Epoch{1}), Pair(Partition{1}, Epoch{1})));
}

TEST(Partitions, SettleNullValuesWithoutAResult) {
  Core core;
  core.assign();
  core.deliver("- -");
  core.pass(1s);
  EXPECT_EQ(core.record(), "");
  EXPECT_EQ(core.committed(), 2);
  EXPECT_EQ(core.status().tombstones, 2u);
}

}  // namespace
}  // namespace helsekontakter::test

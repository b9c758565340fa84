// The ledger hears of a change before the endpoint does, where an older one hangs on it.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

WorkerSettings foretelling() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.foretells = true;
  settings.remembered_keys_max = 0;
  settings.api.in_flight_per_organization_max = 4;
  return settings;
}

/// What the next worker finds: the queue gives back what was not settled, as `events`.
class Next : public Core {
 public:
  Next(Core& before, std::string_view events) : Core(foretelling(), before.take_ledger()) {
    assign();
    deliver(events);
  }
};

TEST(Foretelling, HasTheLedgerHearOfAChangeBeforeItIsSubmittedOverAnOlderOne) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2 bob@1");
  EXPECT_EQ(core.requests(), "bob@1") << "who has nothing older waits for nothing";
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_EQ(core.requests(), "bob@1 | ada@2");
  EXPECT_EQ(core.committed(), 1) << "the older one alone is settled";
  core.accept_all();
  EXPECT_EQ(core.record_all(), "bob@1 accepted, ada@2 accepted");
  EXPECT_EQ(core.committed(), 3);
}

TEST(Foretelling, WaitsForNothingWhereTheSourceComesBackInOrder) {
  WorkerSettings settings = foretelling();
  settings.foretells = false;
  Core core(settings);
  core.assign();
  core.deliver("ada@1 ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Foretelling, SubmitsNoOlderOneThatComesBackAlone) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  (void)core.record();
  ASSERT_EQ(core.requests(), "ada@2");  // and the worker is killed

  Next next(core, "ada@1");  // settled, but the broker did not hear of it
  EXPECT_EQ(next.requests(), "ada@2") << "out of the ledger";
  next.accept();
  EXPECT_EQ(next.record_all(), "ada@2 accepted, ada@1 superseded by ada@2");
  next.deliver("ada@2");
  EXPECT_EQ(next.record_all(), "ada@2 accepted") << "its stored result";
  EXPECT_EQ(next.requests(), "");
}

TEST(Foretelling, SettlesWhatItIsToldAgainAndTellsItsVerdictOnce) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  (void)core.record();

  Next next(core, "ada@2");
  next.accept();
  EXPECT_EQ(next.record_all(), "ada@2 waits, ada@2 accepted");
  next.pass(2h);
  EXPECT_EQ(next.requests(), "");
}

TEST(Foretelling, SubmitsOnlyTheNewestOfSeveral) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  core.deliver("ada@3");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_EQ(core.requests(), "") << "ada@2 could come back without ada@3";
  EXPECT_EQ(core.record(), "ada@2 superseded by ada@3");
  EXPECT_EQ(core.requests(), "ada@3");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@3 accepted");
  core.pass(2h);
  EXPECT_EQ(core.requests(), "");
}

TEST(Foretelling, HoldsForAParkedChangeThatANewerOneReplaces) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.deliver("ada@2");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  ASSERT_EQ(core.requests(), "ada@2");  // and the worker is killed

  Next next(core, "");
  next.pass(48h);
  EXPECT_EQ(next.requests(), "ada@2") << "the older one would have been due";
}

TEST(Foretelling, HoldsForWhatFailedWhenANewerOneCame) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1");
  core.deliver("ada@2");
  core.answer(refused(503));
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Foretelling, HoldsForABatchThatIsSubmittedAgain) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@2");
  core.answer(refused(503));
  core.deliver("ada@1");
  core.pass(1min);
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Foretelling, LeavesTheSameEventOnIt) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2 ada@2");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  ASSERT_EQ(core.requests(), "ada@2");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@2 accepted, ada@2 accepted");
}

TEST(Foretelling, DoesItOnceForWhatTheLedgerHas) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@3");
  core.deliver("ada@2");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@3");
  EXPECT_EQ(core.requests(), "ada@3");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@3 accepted, ada@2 superseded by ada@3");
}

TEST(Foretelling, TellsOfAParkedOneOfTheSameVersionThatTheLedgerLetsGo) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  (void)core.record();
  ASSERT_EQ(core.requests(), "ada@2");
  core.lose();
  core.assign();  // ada@2 is at hand again, out of the ledger, while its request is under way
  core.deliver("ada@2 ada@2=x");
  EXPECT_EQ(core.record_all(), "ada@2 waits");
  core.say_inactive();
  ASSERT_EQ(core.requests(), "ada@2=x");
  core.deliver("ada@3");
  core.say_inactive();
  EXPECT_EQ(core.record(),
            "ada@2=x superseded by ada@3, ada@2 superseded by ada@3 (version_equal)");
  EXPECT_EQ(core.requests(), "ada@3");
}

TEST(Foretelling, GoesOnWhenTheRecordFails) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  core.fail_record();
  EXPECT_EQ(core.requests(), "");
  core.assign();
  core.deliver("ada@1 ada@2");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Foretelling, IsOverWhenThePartitionIsLetGo) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  core.revoke();
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_THAT(core.orders().release, SizeIs(1));
  EXPECT_EQ(core.status().keys_at_hand, 0u);
}

TEST(Foretelling, FreesItsOwnKeyAloneWhenThePartitionIsLetGo) {
  Core core(foretelling());
  core.assign();
  core.assign(1);
  core.deliver("ada@1 ada@2");
  core.revoke();
  core.deliver("bob@1/1");
  core.accept();
  core.deliver("bob@2/1");
  EXPECT_EQ(core.record(), "ada@1 superseded by ada@2");
  EXPECT_EQ(core.requests(), "") << "bob@1 is not durable";
  EXPECT_EQ(core.record(), "bob@1 accepted");
  EXPECT_EQ(core.requests(), "bob@2");
}

TEST(Foretelling, IsOverWhenThePartitionIsLost) {
  Core core(foretelling());
  core.assign();
  core.deliver("ada@1 ada@2");
  core.lose();
  core.fail_record();
  core.assign();
  core.deliver("ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
}

}  // namespace
}  // namespace helsekontakter::test

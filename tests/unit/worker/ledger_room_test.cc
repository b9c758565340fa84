// A ledger at its limit: nothing more is read, and what is held goes on.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

WorkerSettings with_ledger() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  return settings;
}

TEST(LedgerRoom, StopsReadingUntilThereIsRoomAgain) {
  Core core(with_ledger());
  core.assign(0);
  core.assign(1);
  EXPECT_THAT(core.orders().pause, IsEmpty());
  core.fill_ledger();
  EXPECT_THAT(core.orders().pause,
              ElementsAre(Pair(Partition{0}, Epoch{1}), Pair(Partition{1}, Epoch{1})));
  EXPECT_EQ(core.notices(Notice::Kind::ledger_full), 1u);
  core.pass(Milliseconds(60'000));
  EXPECT_THAT(core.orders().resume, IsEmpty());
  EXPECT_FALSE(core.noticed(Notice::Kind::ledger_has_room));
  core.make_room_in_ledger();
  EXPECT_THAT(core.orders().resume,
              ElementsAre(Pair(Partition{0}, Epoch{1}), Pair(Partition{1}, Epoch{1})));
  EXPECT_EQ(core.notices(Notice::Kind::ledger_has_room), 1u);
  core.deliver("ada@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
}

TEST(LedgerRoom, IsToldOnceHoweverOftenItIsSaid) {
  Core core(with_ledger());
  core.assign();
  core.fill_ledger();
  core.fill_ledger();
  EXPECT_EQ(core.notices(Notice::Kind::ledger_full), 1u);
  EXPECT_THAT(core.orders().pause, ElementsAre(Pair(Partition{0}, Epoch{1})));
  core.make_room_in_ledger();
  core.make_room_in_ledger();
  EXPECT_EQ(core.notices(Notice::Kind::ledger_has_room), 1u);
  EXPECT_THAT(core.orders().resume, ElementsAre(Pair(Partition{0}, Epoch{1})));
}

TEST(LedgerRoom, LetsWhatIsHeldBeConcluded) {
  Core core(with_ledger());
  core.assign();
  core.deliver("ada@1 bob@1");
  core.fill_ledger();
  core.deliver("cleo@1");  // was on its way when the source was told
  core.accept_all();
  (void)core.record_all();
  core.accept_all();
  (void)core.record_all();
  EXPECT_EQ(core.committed(), 3);
  EXPECT_THAT(core.orders().resume, IsEmpty());
}

TEST(LedgerRoom, StopsAPartitionThatComesWhileItIsFull) {
  Core core(with_ledger());
  core.fill_ledger();
  core.assign(3);
  EXPECT_THAT(core.orders().pause, ElementsAre(Pair(Partition{3}, Epoch{1})));
}

TEST(LedgerRoom, IsNotAskedForWhileAPartitionIsReadBack) {
  ProgressMark mark;
  mark.submitted_to = 2;
  Core core(with_ledger());
  core.fill_ledger();
  core.assign(0, 0, mark, 2);
  EXPECT_THAT(core.orders().pause, IsEmpty()) << "what may be executed already must be known";
  core.deliver("ada@1 bob@1");
  EXPECT_THAT(core.orders().pause, ElementsAre(Pair(Partition{0}, Epoch{1})));
}

}  // namespace
}  // namespace helsekontakter::test

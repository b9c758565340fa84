// What other workers and the operator say by the shared topic.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;

WorkerSettings sharing() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.shares = true;
  settings.remembered_keys_max = 0;
  settings.member.inactive_retry = 24h;
  settings.brake.rejected_in_row_max = 2;
  return settings;
}

SharedHold hold_of(std::optional<OrganizationNumber> whom, bool held) {
  return {.organization = whom, .by_operator = true, .held = held, .since = {}, .why = "tested"};
}

SharedBrake brake_of(std::optional<OrganizationNumber> whom, bool pulled) {
  return {.organization = whom, .pulled = pulled, .since = {}};
}

TEST(OperatorsHold, StopsOneOrganizationUntilItIsResumed) {
  Core core(sharing());
  core.assign();
  core.hear(hold_of(organization("sio"), true));
  core.deliver("ada@1 sit:bob@1");
  EXPECT_EQ(core.requests(), "sit:bob@1");
  EXPECT_TRUE(core.noticed(Notice::Kind::organization_held));
  core.pass(1h);
  EXPECT_EQ(core.requests(), "sit:bob@1") << "no probe ends it";
  (void)core.record_all();
  core.hear(hold_of(organization("sio"), false));
  core.pass(1s);
  EXPECT_EQ(core.requests(), "sit:bob@1 | ada@1");
}

TEST(OperatorsHold, CountsWhatWasSaidBeforeThisWorkerCame) {
  Core core(sharing());
  core.assign();
  core.hear(hold_of(organization("sio"), true), false);
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
}

TEST(OperatorsHold, StopsTheEndpoint) {
  Core core(sharing());
  core.assign();
  core.hear(hold_of(std::nullopt, true));
  core.deliver("ada@1 sit:bob@1");
  core.pass(1h);
  EXPECT_EQ(core.requests(), "");
  EXPECT_TRUE(core.noticed(Notice::Kind::endpoint_held));
  core.hear(hold_of(std::nullopt, false));
  EXPECT_EQ(core.in_flight(), 2u);
}

TEST(OperatorsHold, IsNotEndedByTheBrakesRelease) {
  Core core(sharing());
  core.assign();
  core.hear(hold_of(organization("sio"), true));
  core.hear(brake_of(organization("sio"), true));
  core.deliver("ada@1");
  core.hear(brake_of(organization("sio"), false));
  EXPECT_EQ(core.requests(), "");
  core.hear(hold_of(organization("sio"), false));
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(SharedBrake, IsToldToTheOthersWhenItIsPulled) {
  Core core(sharing());
  core.assign();
  core.deliver("sit:? sit:?");
  ASSERT_EQ(core.facts().size(), 1u);
  const auto& brake = std::get<SharedBrake>(core.facts().front());
  EXPECT_EQ(brake.organization, organization("sit"));
  EXPECT_TRUE(brake.pulled);
}

TEST(SharedBrake, HoldsAfterARestartUntilItIsReleased) {
  Core core(sharing());
  core.assign();
  core.hear(brake_of(organization("sit"), true), false);
  core.deliver("sit:bob@1 sit:?");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "") << "what cannot be read waits too";
  core.hear(brake_of(organization("sit"), false));
  EXPECT_EQ(core.requests(), "sit:bob@1");
  EXPECT_NE(core.record_all(), "");
}

TEST(SharedBrake, OfTheSourceLetsReadingGoOnWhenItIsReleased) {
  Core core(sharing());
  core.assign();
  core.deliver("? ? ?");
  ASSERT_FALSE(core.orders().pause.empty());
  (void)core.record_all();
  core.forget_orders();
  core.hear(brake_of(std::nullopt, false));
  EXPECT_FALSE(core.orders().resume.empty());
  EXPECT_NE(core.record_all(), "") << "the one behind the brake is concluded";
}

/// Its figures are this worker's own, and it may become ready: nothing is submitted for it.
TEST(SharedBrake, OfTheSourceIsSaidByEachWorkerAndLetsItReadBack) {
  Core core(sharing());
  core.hear(SharedBrake{.organization = {}, .pulled = true, .since = {}});
  core.hear(SharedBrake{.organization = {}, .pulled = true, .since = {}});
  EXPECT_EQ(core.notices(Notice::Kind::brake_pulled), 1u);
  core.assign(0, 0, {.submitted_to = 2}, 2);
  EXPECT_TRUE(core.orders().pause.empty()) << "what the last owner submitted is read back";
  core.deliver("ada@1 bob@1");
  EXPECT_EQ(core.status().recovering, 0u);
  EXPECT_EQ(core.orders().pause.size(), 1u);
}

TEST(SharedRetryAfter, PausesAllWorkers) {
  Core one(sharing());
  one.assign();
  one.deliver("ada@1");
  one.answer(Refused{429, EntryAnswer{.status = 429}, Milliseconds(30s)});
  ASSERT_EQ(one.facts().size(), 1u);
  Core other(sharing());
  other.assign();
  other.hear(one.facts().front());
  other.deliver("bob@1");
  EXPECT_EQ(other.requests(), "");
  other.pass(31s);
  EXPECT_EQ(other.requests(), "bob@1");
}

TEST(SharedRetryAfter, IsSaidWhenItIsLong) {
  for (const auto& [asked, said] : {std::pair<Milliseconds, bool>{29s, false}, {1h, true}}) {
    Core core(sharing());
    core.assign();
    core.deliver("ada@1");
    core.answer(Refused{429, EntryAnswer{.status = 429}, asked});
    EXPECT_EQ(core.noticed(Notice::Kind::endpoint_paused), said);
    core.pass(asked - 1s);
    EXPECT_EQ(core.requests(), "");
    core.pass(1min);
    EXPECT_EQ(core.requests(), "ada@1");
  }
}

TEST(SharedRetryNow, EndsThePauseThatTheEndpointAskedFor) {
  Core core(sharing());
  core.assign();
  core.deliver("ada@1");
  core.answer(Refused{429, EntryAnswer{.status = 429}, Milliseconds(1h)});
  core.pass(1min);
  ASSERT_EQ(core.requests(), "");
  core.hear(SharedRetryNow{.organization = std::nullopt, .at = {}});
  EXPECT_EQ(core.requests(), "ada@1");
  const std::size_t told = core.facts().size();
  core.answer(Refused{429, EntryAnswer{.status = 429}, Milliseconds(10min)});
  EXPECT_EQ(core.facts().size(), told + 1) << "a shorter pause than the one that was ended";
}

TEST(SharedRetryNow, TriesAnInactiveMemberAtOnce) {
  Core core(sharing());
  core.assign();
  core.deliver("ada@1");
  core.say_inactive();
  (void)core.record_all();
  core.pass(1h);
  EXPECT_EQ(core.requests(), "");
  core.hear(SharedRetryNow{.organization = organization("sit"), .at = {}});
  EXPECT_EQ(core.requests(), "") << "another organisation's";
  core.hear(SharedRetryNow{.organization = std::nullopt, .at = {}}, false);
  EXPECT_EQ(core.requests(), "") << "said before this worker came";
  core.hear(SharedRetryNow{.organization = std::nullopt, .at = {}});
  EXPECT_EQ(core.requests(), "ada@1");
}

}  // namespace
}  // namespace helsekontakter::test

// Members wait for their organisation's offerings, whoever reads these.

#include "tests/unit/worker/core.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

WorkerSettings gated(OfferingGate gate = OfferingGate::pending) {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.shares = true;
  settings.gate = gate;
  return settings;
}

/// What a core said of offerings so far.
std::vector<SharedOffering> said(const Core& core) {
  std::vector<SharedOffering> offerings;
  for (const SharedFact& fact : core.facts()) {
    if (const auto* one = std::get_if<SharedOffering>(&fact)) offerings.push_back(*one);
  }
  return offerings;
}

/// What another worker would say of the offering of `event`, in partition 1 where it is not said.
SharedOffering word(std::string_view event, bool concluded, bool accepted = false) {
  const Event one = events(event).front();
  const Change change = std::get<Change>(delivery(one, 0, Epoch{1}).content);
  return {.key = change.key,
          .organization = change.organization,
          .partition = Partition{one.partition},
          .version = one.version,
          .concluded = concluded,
          .accepted = accepted,
          .author = 7};
}

TEST(Gate, IsToldToTheOthersWhenAnOfferingIsReadAndWhenItIsDurablyConcluded) {
  Core core(gated());
  core.assign();
  core.deliver("#gym@3");
  ASSERT_EQ(said(core).size(), 1u);
  EXPECT_FALSE(said(core)[0].concluded);
  EXPECT_EQ(said(core)[0].version, 3);
  EXPECT_EQ(said(core)[0].organization, organization("sio"));
  core.accept();
  EXPECT_EQ(said(core).size(), 1u) << "not durable yet";
  (void)core.record();
  ASSERT_EQ(said(core).size(), 2u);
  EXPECT_TRUE(said(core)[1].concluded);
  EXPECT_TRUE(said(core)[1].accepted);
  EXPECT_NE(said(core)[1].author, 0u);
}

TEST(Gate, IsClosedWhileAnotherWorkersOfferingIsNotConcluded) {
  Core core(gated());
  core.assign(0);
  core.hear(word("#gym@1/1", false));
  core.deliver("ada@1 sit:bob@1");
  EXPECT_EQ(core.requests(), "sit:bob@1");
  core.hear(word("#pool@1/1", false));
  core.hear(word("#gym@1/1", true));
  EXPECT_EQ(core.requests(), "sit:bob@1") << "there is another one";
  core.hear(word("#pool@1/1", true));
  EXPECT_EQ(core.requests(), "sit:bob@1 | ada@1");
}

TEST(Gate, KnowsWhatWasSaidBeforeItsOrganizationCame) {
  Core core(gated());
  core.hear(word("#gym@1/1", false), false);
  core.assign(0);
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  core.hear(word("#gym@1/1", true));
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Gate, IsOfNoConcernWhenItIsOff) {
  Core core(gated(OfferingGate::off));
  core.assign(0);
  core.hear(word("#gym@1/1", false));
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Gate, IsNotClosedByItsOwnWordsWhenTheyComeBack) {
  Core core(gated());
  core.assign();
  core.deliver("#gym@1");
  core.accept();
  (void)core.record_all();
  const auto words = said(core);
  for (const SharedOffering& one : words) core.hear(one);
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "ada@1");
  EXPECT_EQ(said(core).size(), words.size());
}

TEST(Gate, IsOpenedByTheNextOwnerOfAnOfferingWhoseConclusionWasNotTold) {
  Core core(gated());
  core.hear(word("#gym@1/1", false), false);
  core.assign(0);
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  core.assign(1);  // whose owner died after its record, and before it said so
  EXPECT_EQ(core.requests(), "ada@1");
  ASSERT_EQ(said(core).size(), 1u);
  EXPECT_TRUE(said(core)[0].concluded);
}

TEST(Gate, StaysClosedUntilTheNextOwnerHasReadWhatTheLastOneMayHaveBegun) {
  Core core(gated());
  core.hear(word("#gym@1/1", false), false);
  core.assign(0);
  core.assign(1, 0, {.concluded = {}, .submitted_to = 2, .clean = false, .unsettled = false}, 2);
  core.deliver("ada@1 cleo@1/1");
  EXPECT_EQ(core.requests(), "");
  core.deliver("#gym@1/1");
  EXPECT_EQ(core.requests(), "#gym@1");
  core.accept();
  (void)core.record_all();
  EXPECT_THAT(core.requests(), HasSubstr("ada@1"));
}

TEST(Gate, IsCorrectedByTheOwnerWhenAnotherSaysOtherwise) {
  Core core(gated());
  core.assign(0);
  core.hear(word("#gym@1/0", false));
  ASSERT_EQ(said(core).size(), 1u) << "it is ours, and not at hand";
  EXPECT_TRUE(said(core)[0].concluded);
  core.deliver("#gym@2");
  for (int i = 0; i < 10; ++i) core.hear(word("#gym@1/0", true));
  EXPECT_EQ(said(core).size(), 5u) << "it says so three times and no more";
  EXPECT_FALSE(said(core).back().concluded);
}

TEST(Gate, IsClosedByANewerChangeUntilThatIsConcluded) {
  Core core(gated());
  core.assign();
  core.deliver("#gym@1");
  core.deliver("#gym@2");
  core.accept();
  (void)core.record_all();
  EXPECT_FALSE(said(core).back().concluded);
  EXPECT_EQ(said(core).back().version, 2);
  core.accept_all();
  (void)core.record_all();
  EXPECT_TRUE(said(core).back().concluded);
}

TEST(Gate, StaysClosedForANewerChangeThatIsLeftToTheNextOwner) {
  Core core(gated());
  core.assign();
  core.deliver("#gym@1");
  core.deliver("#gym@2");
  core.revoke();
  core.accept();
  EXPECT_EQ(core.record_all(), "#gym@1 accepted");
  EXPECT_FALSE(said(core).back().concluded);
}

TEST(Gate, StaysClosedForAChangeThatIsSentAnew) {
  Core core(gated());
  core.assign();
  core.deliver("#gym@1");
  core.deliver("#gym@1~");
  core.accept();
  (void)core.record();
  EXPECT_FALSE(said(core).back().concluded);
  core.accept();
  (void)core.record_all();
  EXPECT_TRUE(said(core).back().concluded);
}

TEST(RequiredGate, IsClosedUntilAnOfferingWasAcceptedOnce) {
  Core core(gated(OfferingGate::required));
  core.assign();
  core.deliver("ada@1");
  EXPECT_EQ(core.requests(), "");
  core.deliver("#gym@1");
  core.accept({{"#gym@1", 400}});
  (void)core.record_all();
  EXPECT_EQ(core.requests(), "") << "it was rejected";
  core.deliver("#gym@2");
  core.accept();
  EXPECT_EQ(core.requests(), "");
  (void)core.record_all();
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(RequiredGate, IsOpenedByAnotherWorkersOffering) {
  Core core(gated(OfferingGate::required));
  core.assign(0);
  core.deliver("ada@1 sit:bob@1");
  core.hear(word("#gym@1/1", true, false));
  EXPECT_EQ(core.requests(), "");
  core.hear(word("#gym@2/1", true, true));
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(RequiredGate, KnowsFromTheLedgerWhatNobodyWasTold) {
  Core core(gated(OfferingGate::required));
  core.assign();
  core.deliver("#gym@4");
  core.accept();
  (void)core.record_all();
  const std::size_t before = said(core).size();

  Core next(gated(OfferingGate::required), core.take_ledger());
  next.assign();
  next.deliver("ada@1");
  EXPECT_EQ(next.requests(), "ada@1");
  ASSERT_EQ(said(next).size(), 1u) << "the others are told, after " << before;
  EXPECT_TRUE(said(next)[0].accepted);
  EXPECT_TRUE(said(next)[0].concluded);
  EXPECT_EQ(said(next)[0].version, 4);
}

TEST(RequiredGate, LetsOthersThroughWhileMembersWaitInTheLedger) {
  WorkerSettings settings = gated(OfferingGate::required);
  settings.retry.park_after = 2min;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  EXPECT_FALSE(core.noticed(Notice::Kind::gate_closed));
  core.pass(3min);
  EXPECT_TRUE(core.noticed(Notice::Kind::gate_closed));
  EXPECT_EQ(core.record_all(), "ada@1 waits");
  EXPECT_EQ(core.committed(), 1);
  core.deliver("#gym@1");
  core.accept();
  (void)core.record_all();
  EXPECT_TRUE(core.noticed(Notice::Kind::gate_open));
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(RequiredGate, ForgetsNobodyWhoIsParkedWhileItOpens) {
  WorkerSettings settings = gated(OfferingGate::required);
  settings.retry.park_after = 2min;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  core.pass(3min);
  ASSERT_TRUE(core.is_recording()) << "ada is on her way to the ledger";
  core.hear(word("#gym@2/1", true, true));
  EXPECT_EQ(core.record_all(), "ada@1 waits");
  core.pass(1s);
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(Gate, ParksNobodyWhenTheEndpointIsBackAndTheOfferingGoesFirst) {
  WorkerSettings settings = gated();
  settings.retry.park_after = 2min;
  settings.retry.backoff_max = 1s;
  Core core(settings);
  core.assign();
  core.deliver("#gym@1 ada@1");
  for (int i = 0; i < 400; ++i) {
    if (core.in_flight() > 0) core.answer(refused(503));
    core.pass(1s);
  }
  ASSERT_EQ(core.requests(), "#gym@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "#gym@1 accepted") << "nobody is parked";
  core.pass(1s);
  EXPECT_EQ(core.requests(), "ada@1");
}

SharedHold found(std::string_view name, bool held) {
  return {.organization = organization(name), .held = held, .why = "HTTP 403", .author = 7};
}

TEST(FoundHold, IsToldWhenItBeginsAndEnds) {
  Core core(gated());
  core.assign();
  core.deliver("ada@1");
  core.answer(refused(403));
  ASSERT_EQ(core.facts().size(), 1u);
  EXPECT_TRUE(std::get<SharedHold>(core.facts()[0]).held);
  EXPECT_FALSE(std::get<SharedHold>(core.facts()[0]).by_operator);
  core.pass(1min);
  core.accept();
  ASSERT_EQ(core.facts().size(), 2u);
  EXPECT_FALSE(std::get<SharedHold>(core.facts()[1]).held);
}

TEST(FoundHold, OfAnotherWorkerHoldsUntilOurOwnProbeSucceeds) {
  Core core(gated());
  core.assign();
  core.deliver("ada@1");
  core.accept();
  (void)core.record_all();
  core.hear(found("sio", true));
  EXPECT_TRUE(core.noticed(Notice::Kind::organization_held));
  core.deliver("bob@1");
  EXPECT_EQ(core.requests(), "");
  core.pass(1min);
  EXPECT_EQ(core.requests(), "bob@1") << "the finder may be gone, or alone at fault";
  core.accept();
  EXPECT_TRUE(core.noticed(Notice::Kind::organization_released));
}

TEST(FoundHold, OfAnotherWorkerEndsWhenItSaysSo) {
  Core core(gated());
  core.assign();
  core.deliver("ada@1");
  core.accept();
  (void)core.record_all();
  core.hear(found("sio", true));
  EXPECT_EQ(core.status().organizations_held.size(), 1u);
  core.hear(found("sio", false));
  EXPECT_EQ(core.status().organizations_held.size(), 0u);
  EXPECT_TRUE(core.noticed(Notice::Kind::organization_released));
}

TEST(FoundHold, IsProbedAtOnceWhenAnotherSaysThatItIsOver) {
  WorkerSettings settings = gated();
  settings.retry.backoff_first = 1h;
  settings.retry.backoff_max = 1h;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  core.answer(refused(403));
  core.pass(1s);
  EXPECT_EQ(core.requests(), "");
  core.hear(found("sio", false));
  EXPECT_EQ(core.requests(), "ada@1");
}

TEST(FoundHold, FromBeforeTheStartIsNotObeyedAndIsCalledOffByASuccess) {
  Core core(gated());
  core.assign();
  core.deliver("ada@1");
  core.hear(found("sio", true), false);
  core.accept();
  (void)core.record_all();
  ASSERT_EQ(core.facts().size(), 1u);
  EXPECT_FALSE(std::get<SharedHold>(core.facts()[0]).held);
  core.hear(found("sio", true), false);
  core.deliver("bob@1");
  EXPECT_EQ(core.requests(), "bob@1");
}

}  // namespace
}  // namespace helsekontakter::test

// What an answer means for the changes of a request, and for its neighbours.

#include "tests/unit/worker/core.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using Kind = Notice::Kind;

bool holds(const Submit& submit, std::string_view event) {
  return (" " + shape(submit) + " ").find(" " + std::string(event) + " ") != std::string::npos;
}

TEST(Outcomes, ConcludeEachEntryByItsOwnAnswer) {
  Core core;
  core.assign();
  core.deliver("ada@1 bob@1 cleo@1 dan@1");
  Answered answer;
  answer.entries = {{.status = 201},
                    {.status = 400, .fault = true, .code = "2118"},
                    {.status = 400, .fault = true, .code = "2109"},
                    {.status = 503}};
  core.answer(answer);
  EXPECT_EQ(core.record_all(),
            "ada@1 accepted, bob@1 inactive (not_digitally_active), "
            "cleo@1 rejected (refused_by_endpoint)");
  core.pass(1min);
  EXPECT_EQ(core.requests(), "dan@1");
}

TEST(Outcomes, FindTheOffenderOfARefusedBatchByHalving) {
  Core core;
  core.assign();
  core.deliver("a@1 b@1 c@1 d@1 e@1 f@1 g@1 h@1");
  const auto sent = core.serve([](const Submit& submit) {
    return holds(submit, "f@1") ? refused(400, "odd") : answered(submit);
  });
  EXPECT_EQ(core.record_all(), "");
  EXPECT_THAT(sent, Contains("f@1"));
  EXPECT_LE(sent.size(), 7u);
  EXPECT_TRUE(core.noticed(Kind::batch_halved));
  EXPECT_EQ(core.committed(), 8);
}

/// A batch with one entry that makes every answer bad, while another organisation goes on.
struct PoisonCase {
  const char* name;
  SubmissionOutcome outcome;
};

class Poison : public testing::TestWithParam<PoisonCase> {};

TEST_P(Poison, DoesNotTakeItsNeighboursWithIt) {
  Core core;
  core.assign();
  core.deliver("a@1 b@1 c@1 bad@1 e@1 f@1 sit:other@1");
  int other = 1;
  const auto sent = core.serve(
      [&](const Submit& submit) {
        if (submit.organization == organization("sit")) {
          core.deliver("sit:other" + std::to_string(++other) + "@1");
        }
        return holds(submit, "bad@1") ? GetParam().outcome : answered(submit);
      },
      400);
  EXPECT_THAT(sent, Contains("bad@1"));
  ASSERT_EQ(core.mark().concluded.empty(), false);
  EXPECT_EQ(core.committed(), 3);
  EXPECT_EQ(core.mark().concluded.front().first, 4);
  EXPECT_GT(core.mark().concluded.front().second, 7);
}

TEST_P(Poison, AloneWithItsOrganisationDoesNotStopWhatComesAfterIt) {
  Core core;
  core.assign();
  core.deliver("bad@1");
  const auto judge = [&](const Submit& submit) {
    return holds(submit, "bad@1") ? GetParam().outcome : answered(submit);
  };
  (void)core.serve(judge, 30);
  core.deliver("ada@1 sit:bob@1");
  const auto sent = core.serve(judge, 30);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), "sit:bob@1"), 1);
  EXPECT_TRUE(std::any_of(sent.begin(), sent.end(), [](const std::string& one) {
    return one.find("ada@1") != std::string::npos && one.find("bad@1") == std::string::npos;
  }));
}

INSTANTIATE_TEST_SUITE_P(Outcomes, Poison,
                         testing::Values(PoisonCase{"server_error", refused(500)},
                                         PoisonCase{"unknown", unknown()},
                                         PoisonCase{"unreadable", Unreadable{200, "number"}}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Outcomes, HoldTheEndpointWhenNothingSucceedsAndCountNoAttemptAgainstAChange) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  for (int i = 0; i < 3; ++i) {
    core.answer(refused(503));
    core.pass(2s);
  }
  EXPECT_TRUE(core.noticed(Kind::endpoint_held));
  EXPECT_TRUE(core.status().endpoint_held);
  core.deliver("sit:bob@1 sammen:cleo@1");
  core.pass(24h);
  EXPECT_EQ(core.in_flight(), 1u) << "one probe at a time: " << core.requests();
  core.accept();
  EXPECT_TRUE(core.noticed(Kind::endpoint_released));
  EXPECT_EQ(core.in_flight(), 2u);
  core.accept_all();
  EXPECT_THAT(core.record_all(), HasSubstr("ada@1 accepted"));
}

TEST(Outcomes, HoldAnOrganisationThatIsRefusedAndNoOther) {
  Core core;
  core.assign();
  core.deliver("ada@1 sit:bob@1");
  core.answer(refused(401, "EHSEC-110002"));
  EXPECT_TRUE(core.noticed(Kind::organization_held));
  EXPECT_THAT(core.status().organizations_held, ElementsAre(organization("sio")));
  core.deliver("cleo@1 sit:dan@1");
  core.accept();
  EXPECT_EQ(core.requests(), "sit:dan@1");
  core.accept();
  core.pass(5min);
  EXPECT_EQ(core.in_flight(), 1u);
  core.accept();
  EXPECT_TRUE(core.noticed(Kind::organization_released));
  core.accept_all();
  (void)core.record_all();
  EXPECT_EQ(core.committed(), 4);
}

TEST(Outcomes, HoldAnOrganisationThatIsRefusedForSomeMembersAndConcludeTheOthers) {
  Core core;
  core.assign();
  core.deliver("ada@1 bob@1");
  core.accept({{"ada@1", 403}});
  EXPECT_TRUE(core.noticed(Kind::organization_held));
  EXPECT_EQ(core.record_all(), "bob@1 accepted");
  core.pass(5min);
  ASSERT_EQ(core.requests(), "ada@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
  EXPECT_TRUE(core.status().organizations_held.empty());
}

TEST(Outcomes, HoldTheEndpointWhenThreeOrganisationsAreRefused) {
  Core core;
  core.assign();
  core.deliver("ada@1 sit:bob@1 sammen:cleo@1");
  core.answer(refused(401));
  core.answer(refused(403));
  EXPECT_FALSE(core.noticed(Kind::endpoint_held));
  core.answer(refused(401));
  EXPECT_TRUE(core.noticed(Kind::endpoint_held));
}

TEST(Outcomes, ProbeAHeldEndpointWithEveryOrganisationInTurn) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.answer(NotSent{NotSentCause::unreachable, "no route"});
  core.deliver("sit:bob@1");
  const auto sent = core.serve(
      [](const Submit& submit) {
        return submit.organization == organization("sio") ? refused(401) : answered(submit);
      },
      6);
  EXPECT_THAT(std::vector<std::string>(sent.begin(), sent.begin() + 2), Contains("sit:bob@1"));
}

struct NotSentCase {
  const char* name;
  NotSentCause cause;
  bool endpoint;
  bool organization;
};

class NotSentCauses : public testing::TestWithParam<NotSentCase> {};

TEST_P(NotSentCauses, HoldWhatIsAtFault) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.answer(NotSent{GetParam().cause, "why"});
  EXPECT_EQ(core.status().endpoint_held, GetParam().endpoint);
  EXPECT_EQ(!core.status().organizations_held.empty(), GetParam().organization);
  core.pass(5min);
  ASSERT_EQ(core.requests(), "ada@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "ada@1 accepted");
  EXPECT_FALSE(core.status().endpoint_held);
  EXPECT_TRUE(core.status().organizations_held.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, NotSentCauses,
    testing::Values(NotSentCase{"unreachable", NotSentCause::unreachable, true, false},
                    NotSentCase{"tls", NotSentCause::tls, true, false},
                    NotSentCase{"no_token", NotSentCause::token_unavailable, true, false},
                    NotSentCase{"client_refused", NotSentCause::client_refused, true, false},
                    NotSentCase{"token_refused", NotSentCause::token_refused, false, true},
                    NotSentCase{"not_ours", NotSentCause::not_ours, false, false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Outcomes, WaitForRetryAfterWithTheWholeEndpoint) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.answer(Refused{429, {.status = 429}, 7s});
  core.deliver("sit:bob@1");
  core.pass(6'999ms);
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.wakes_in(), 1ms);
  core.pass(1ms);
  EXPECT_EQ(core.in_flight(), 2u);
  EXPECT_FALSE(core.noticed(Kind::endpoint_held));
}

TEST(Outcomes, LetChangesOfAnUnlistedOrganisationWaitAndNoOthers) {
  Core core;
  core.assign();
  core.deliver("o1:ada@1 bob@1");
  EXPECT_TRUE(core.noticed(Kind::unlisted_organization));
  EXPECT_EQ(core.requests(), "bob@1");
  core.accept();
  EXPECT_EQ(core.record_all(), "bob@1 accepted");
  core.pass(24h);
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.committed(), 0);
  EXPECT_EQ(core.wakes_in(), std::nullopt);
}

TEST(Outcomes, LetChangesOfAPausedOrganisationWait) {
  WorkerSettings settings = prompt();
  settings.organizations[organization("sio")].paused = true;
  Core core(settings);
  core.assign();
  core.deliver("ada@1 sit:bob@1");
  EXPECT_EQ(core.requests(), "sit:bob@1");
}

TEST(Outcomes, PullTheBrakeOfAnOrganisationWithTooManyRejected) {
  WorkerSettings settings = prompt();
  settings.brake.rejected_in_row_max = 3;
  Core core(settings);
  core.assign();
  core.deliver("sio:? ada@1 sio:? sio:? sio:?");
  EXPECT_TRUE(core.noticed(Kind::brake_pulled));
  core.deliver("bob@1 sio:? sit:cleo@1");
  EXPECT_EQ(core.requests(), "sit:cleo@1");
  EXPECT_THAT(core.record_all(), Not(HasSubstr("bob")));
  core.pass(24h);
  EXPECT_EQ(core.requests(), "sit:cleo@1");
}

TEST(Outcomes, StopReadingWhenTooManyEventsNameNoOrganisation) {
  WorkerSettings settings = prompt();
  settings.brake.rejected_in_row_max = 3;
  Core core(settings);
  core.assign();
  core.deliver("? ? ada@1 ? ?");
  EXPECT_TRUE(core.orders().pause.empty());
  core.deliver("?");
  EXPECT_TRUE(core.status().source_braked);
  EXPECT_THAT(core.orders().pause, ElementsAre(Pair(Partition{0}, Epoch{1})));
}

TEST(Outcomes, DoNotEndAPausedReadingOfTheClock) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.accept();
  ASSERT_TRUE(core.is_recording());
  core.pass(5s);
  EXPECT_EQ(core.wakes_in(), std::nullopt) << "a record that is slow needs no waking";
}

TEST(Outcomes, WithATokenThatStillHoldsDoNotEndTheHoldOfThoseWithout) {
  WorkerSettings settings = prompt();
  settings.api.in_flight_max = 2;
  Core core(settings);
  core.assign();
  core.deliver("ada@1 sit:bob@1");
  core.answer("ada@1", NotSent{NotSentCause::token_unavailable, "HelseID is away"});
  ASSERT_TRUE(core.status().endpoint_held);
  core.answer("sit:bob@1", answered(core.request()));
  core.deliver("sit:cleo@1");
  std::vector<std::string> sent = core.serve(
      [&](const Submit& submit) -> SubmissionOutcome {
        if (holds(submit, "ada@1")) {
          return NotSent{NotSentCause::token_unavailable, "HelseID is away"};
        }
        EXPECT_TRUE(core.status().endpoint_held);
        return answered(submit);
      },
      6);
  EXPECT_TRUE(core.status().endpoint_held) << "no organisation without a token was served";
  EXPECT_FALSE(core.noticed(Kind::endpoint_released));
  (void)core.serve([](const Submit& submit) { return answered(submit); });
  EXPECT_FALSE(core.status().endpoint_held);
}

}  // namespace
}  // namespace helsekontakter::test

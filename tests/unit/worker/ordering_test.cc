// Which of a key's changes go, and what becomes of the others.

#include "tests/unit/worker/core.h"

#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;

/// What is delivered while ada@1 waits behind a request in flight, and what becomes of it.
struct CoalescingCase {
  const char* name;
  const char* delivered;
  const char* submitted;
  const char* recorded;
};

class Coalescing : public testing::TestWithParam<CoalescingCase> {};

TEST_P(Coalescing, KeepsTheNewestAndTellsTheOthersWhy) {
  WorkerSettings settings = prompt();
  settings.api.in_flight_max = 1;
  Core core(settings);
  core.assign();
  core.deliver("bob@1");
  core.deliver(GetParam().delivered);
  core.answer(refused(503));  // bob comes back later; what waited goes now
  EXPECT_EQ(core.requests(), GetParam().submitted);
  core.accept();
  EXPECT_EQ(core.record_all(), GetParam().recorded);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Coalescing,
    testing::Values(
        CoalescingCase{"newer", "ada@1 ada@2", "ada@2",
                       "ada@2 accepted, ada@1 superseded by ada@2"},
        CoalescingCase{"three", "ada@1 ada@2 ada@3", "ada@3",
                       "ada@3 accepted, ada@2 superseded by ada@3, ada@1 superseded by ada@3"},
        CoalescingCase{"older_comes_late", "ada@2 ada@1", "ada@2",
                       "ada@2 accepted, ada@1 superseded by ada@2"},
        CoalescingCase{"the_very_same", "ada@1 ada@1", "ada@1", "ada@1 accepted, ada@1 accepted"},
        CoalescingCase{"equal_version_other_content", "ada@1 ada@1=x", "ada@1",
                       "ada@1 accepted, ada@1=x superseded by ada@1 (version_equal)"},
        CoalescingCase{"resend_of_an_equal_version", "ada@1 ada@1~", "ada@1~",
                       "ada@1~ accepted, ada@1 superseded by ada@1~"},
        CoalescingCase{"resend_of_an_older_version", "ada@2 ada@1~", "ada@2",
                       "ada@2 accepted, ada@1~ superseded by ada@2"},
        CoalescingCase{"same_then_newer", "ada@1 ada@1 ada@2", "ada@2",
                       "ada@2 accepted, ada@1 superseded by ada@2, ada@1 superseded by ada@2"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Ordering, ExcludesAKeyUntilItsConclusionIsDurable) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.deliver("ada@2 bob@1");
  EXPECT_EQ(core.requests(), "ada@1");
  core.accept();
  EXPECT_EQ(core.requests(), "bob@1");
  core.accept();
  core.pass(1h);
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record(), "ada@1 accepted");
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Ordering, ExcludesAKeyFromChangesThatComeBeforeItsConclusionIsDurable) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.accept();
  core.deliver("ada@2 ada@3");
  core.pass(1h);
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record(), "ada@1 accepted");
  EXPECT_EQ(core.requests(), "ada@3");
}

TEST(Ordering, SupersedesAtOnceWhatIsNotNewerThanTheConcluded) {
  Core core;
  core.assign();
  core.deliver("ada@5");
  core.accept();
  (void)core.record_all();
  core.deliver("ada@4 ada@5=x");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.record_all(), "ada@4 superseded, ada@5=x superseded (version_equal)");
  core.deliver("ada@5~");
  EXPECT_EQ(core.requests(), "ada@5~");
}

TEST(Ordering, LetsANewerChangeOvertakeARetry) {
  Core core;
  core.assign();
  core.deliver("ada@1 bob@1");
  core.accept({{"ada@1", 503}});
  core.deliver("ada@2");
  EXPECT_EQ(core.requests(), "ada@2");
  core.accept();
  EXPECT_EQ(core.record_all(), "bob@1 accepted, ada@2 accepted, ada@1 superseded by ada@2");
  core.pass(10min);
  EXPECT_EQ(core.requests(), "");
}

TEST(Ordering, LetsANewerChangeWaitOutTheSettleTimeOfAnUnknownOutcome) {
  Core core;
  core.assign();
  core.deliver("ada@1");
  core.answer(unknown());
  core.deliver("ada@2 bob@1");
  EXPECT_EQ(core.requests(), "bob@1");
  core.accept();
  core.pass(29'999ms);
  EXPECT_EQ(core.requests(), "");
  ASSERT_TRUE(core.wakes_in());
  EXPECT_LE(*core.wakes_in(), 1ms);
  core.pass(1ms);
  EXPECT_EQ(core.requests(), "ada@2");
}

TEST(Ordering, ResendsAnUnknownOutcomeWithIdenticalEntries) {
  Core core;
  core.assign();
  core.deliver("ada@1 bob@1");
  const Submit first = core.request();
  core.answer(unknown());
  EXPECT_TRUE(core.noticed(Notice::Kind::outcome_unknown));
  core.pass(1min);
  ASSERT_EQ(core.requests(), "ada@1 bob@1");
  EXPECT_EQ(core.request().body, first.body);
  EXPECT_EQ(core.request().entries[1].full_url, first.entries[1].full_url);
  EXPECT_NE(core.request().name, first.name);
}

TEST(Ordering, LetsMembersWaitForTheirOfferingUntilItIsDurable) {
  Core core;
  core.assign();
  core.deliver("#gym@1 ada@1 sit:bob@1");
  EXPECT_EQ(core.requests(), "#gym@1 | sit:bob@1");
  core.accept();
  EXPECT_EQ(core.requests(), "sit:bob@1");
  EXPECT_EQ(core.record(), "#gym@1 accepted");
  EXPECT_EQ(core.requests(), "sit:bob@1 | ada@1");
}

TEST(Ordering, SendsMembersAtOnceWithoutTheGate) {
  WorkerSettings settings = prompt();
  settings.gate = OfferingGate::off;
  settings.api.in_flight_per_organization_max = 2;
  Core core(settings);
  core.assign();
  core.deliver("#gym@1 ada@1");
  EXPECT_EQ(core.requests(), "#gym@1 | ada@1");
}

TEST(Ordering, OpensTheGateWhenTheOfferingIsRejectedOrLost) {
  Core core;
  core.assign(0);
  core.assign(1);
  core.deliver("#gym@1 ada@1 #pool@1/1 sit:#gym@1/1 sit:bob@1");
  core.accept({{"#gym@1", 400}});
  core.lose(1);
  core.accept_all();
  (void)core.record_all();
  core.pass(10min);
  EXPECT_EQ(core.requests().find("ada@1") == std::string::npos, false) << core.requests();
  EXPECT_EQ(core.requests().find("sit:bob@1") == std::string::npos, false) << core.requests();
}

TEST(Ordering, IsNotHeldUpByAKeyThatChangesAllTheTime) {
  WorkerSettings settings = prompt();
  settings.batch.age_max = 2s;
  Core core(settings);
  core.assign(0, 0, {}, 0);
  core.deliver("hot@1 ada@1");
  (void)core.record();
  int version = 1;
  for (int i = 0; i < 500 && core.requests().find("ada@1") == std::string::npos; ++i) {
    std::string burst;
    for (int n = 0; n < 200; ++n) burst += " hot@" + std::to_string(++version);
    core.deliver(burst);
    (void)core.record();  // durable only after the next burst was read
    core.deliver("hot@" + std::to_string(++version));
    core.pass(100ms);
  }
  EXPECT_NE(core.requests().find("ada@1"), std::string::npos);
  EXPECT_LT(version, 30 * 201);
}

}  // namespace
}  // namespace helsekontakter::test

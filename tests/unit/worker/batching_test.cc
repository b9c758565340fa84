// Which batch goes next, and what is in it.

#include "tests/unit/worker/core.h"
#include "worker/fhir/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::size_t frame() {
  return fhir::bundle_prefix({}, Lane::members).size() + fhir::bundle_suffix().size();
}

TEST(Batching, FillsARequestToItsLastByte) {
  WorkerSettings settings = prompt();
  settings.batch.bytes_max = frame() + 100 + 1 + 100;
  Core core(settings);
  core.assign();
  core.deliver("ada@1*100 bob@1*100");
  ASSERT_EQ(core.requests(), "ada@1 bob@1");
  EXPECT_EQ(core.request().body.size(), settings.batch.bytes_max);
}

TEST(Batching, SplitsWhatIsOneByteTooLarge) {
  WorkerSettings settings = prompt();
  settings.batch.bytes_max = frame() + 100 + 1 + 100;
  settings.api.in_flight_per_organization_max = 2;
  Core core(settings);
  core.assign();
  core.deliver("ada@1*100 bob@1*101");
  EXPECT_EQ(core.requests(), "ada@1 | bob@1");
}

TEST(Batching, RejectsAChangeThatIsTooLargeAlone) {
  WorkerSettings settings = prompt();
  settings.batch.bytes_max = frame() + 100;
  Core core(settings);
  core.assign();
  core.deliver("ada@1*100 bob@1*101");
  EXPECT_EQ(core.requests(), "ada@1");
  EXPECT_EQ(core.record(), "bob@1 rejected (change_too_large)");
}

TEST(Batching, CountsTheHeadOfOfferings) {
  WorkerSettings settings = prompt();
  settings.batch.entries_max = 3;
  settings.api.in_flight_per_organization_max = 2;
  Core core(settings);
  core.assign();
  core.deliver("#gym@1 #pool@1 #sauna@1");
  EXPECT_EQ(core.requests(), "#gym@1 #pool@1 | #sauna@1");
}

TEST(Batching, NeverExceedsItsEntries) {
  WorkerSettings settings = prompt();
  settings.batch.entries_max = 2;
  settings.api.in_flight_per_organization_max = 4;
  Core core(settings);
  core.assign();
  core.deliver("a@1 b@1 c@1 d@1 e@1");
  EXPECT_EQ(core.requests(), "a@1 b@1 | c@1 d@1 | e@1");
}

TEST(Batching, ClosesWhenItsOldestChangeIsOfAge) {
  WorkerSettings settings = prompt();
  settings.batch.age_max = 2s;
  Core core(settings);
  core.assign();
  core.deliver("ada@1");
  core.pass(1'500ms);
  core.deliver("bob@1");
  EXPECT_EQ(core.requests(), "");
  EXPECT_EQ(core.wakes_in(), 500ms);
  core.pass(500ms);
  EXPECT_EQ(core.requests(), "ada@1 bob@1");
}

TEST(Batching, WaitsForNoMoreWhenTheSourceWaitsForSettlements) {
  WorkerSettings settings = prompt();
  settings.batch.age_max = 1h;
  settings.unsettled_max = 8;
  Core core(settings);
  core.assign();
  core.deliver("ada@1 bob@1");
  EXPECT_EQ(core.requests(), "") << "a quarter of what may wait";
  core.deliver("cat@1");
  EXPECT_EQ(core.requests(), "ada@1 bob@1 cat@1");
}

TEST(Batching, ClosesAtOnceWhenItIsFull) {
  WorkerSettings settings = prompt();
  settings.batch.age_max = 1h;
  settings.batch.entries_max = 2;
  Core core(settings);
  core.assign();
  core.deliver("ada@1 bob@1 cleo@1");
  EXPECT_EQ(core.requests(), "ada@1 bob@1");
}

TEST(Batching, HoldsOneOrganisationOnly) {
  Core core;
  core.assign();
  core.deliver("ada@1 sit:bob@1 cleo@1 sammen:dan@1");
  EXPECT_EQ(core.requests(), "ada@1 cleo@1 | sit:bob@1 | sammen:dan@1");
}

TEST(Batching, LetsOrganisationsTakeTurns) {
  WorkerSettings settings = prompt();
  settings.batch.bytes_max = frame() + 60;
  settings.api.in_flight_max = 1;
  Core core(settings);
  core.assign();
  core.deliver("a@1*60 b@1*60 c@1*60 sit:d@1*60 sit:e@1*60");
  std::vector<std::string> order;
  while (core.in_flight() > 0) {
    order.push_back(core.requests());
    core.accept();
  }
  EXPECT_THAT(order, ElementsAre("a@1", "sit:d@1", "b@1", "sit:e@1", "c@1"));
}

TEST(Batching, KeepsToItsPace) {
  WorkerSettings settings = prompt();
  settings.api.requests_per_second_max = 2;
  settings.api.in_flight_max = 1;
  settings.batch.entries_max = 1;
  settings.batch.age_max = 1h;  // the pace alone decides when a full batch goes
  Core core(settings);
  core.assign();
  core.deliver("a@1 b@1 c@1 d@1 e@1 f@1 g@1 h@1 i@1 j@1");
  int sent = 0;
  for (Milliseconds time{0}; time < 3s; time += 100ms) {
    while (core.in_flight() > 0) {
      ++sent;
      core.accept();
    }
    EXPECT_LE(core.wakes_in().value_or(0ms), 501ms);
    core.pass(100ms);
  }
  EXPECT_GE(sent, 6);
  EXPECT_LE(sent, 8);
}

TEST(Batching, MakesFewRequestsOfManyTricklingOrganisationsWhileSlotsAreBusy) {
  constexpr int organizations = 300;
  WorkerSettings settings = prompt();
  settings.batch.age_max = 2s;
  settings.api.in_flight_max = 2;
  std::vector<std::string> names;
  for (int i = 0; i < organizations; ++i) {
    names.push_back("o" + std::to_string(i));
    settings.organizations[organization(names.back())] = {};
  }
  Core core(settings);
  core.assign();
  std::size_t requests = 0;
  std::size_t changes = 0;
  for (int round = 1; round <= 20; ++round) {
    std::string text;
    for (const std::string& name : names) text += " " + name + ":m" + std::to_string(round) + "@1";
    core.deliver(text);
    for (int i = 0; i < 30 && core.in_flight() > 0; ++i, ++requests) {
      changes += core.request().entries.size();
      core.accept();
    }
    core.pass(1s);
  }
  EXPECT_LT(requests, 600u);
  EXPECT_GT(changes, requests * 5);
}

TEST(Batching, KeepsWithinItsSlots) {
  WorkerSettings settings = prompt();
  settings.batch.entries_max = 1;
  settings.api.in_flight_max = 3;
  settings.api.in_flight_per_organization_max = 2;
  Core core(settings);
  core.assign();
  core.deliver("a@1 b@1 c@1 sit:d@1 sit:e@1 sit:f@1");
  EXPECT_EQ(core.requests(), "a@1 | b@1 | sit:d@1");
}

TEST(Batching, NamesThePartitionsThatARequestIsUnder) {
  Core core;
  core.assign(0);
  core.assign(3);
  core.deliver("ada@1 bob@1/3 cleo@1");
  ASSERT_EQ(core.requests(), "ada@1 bob@1 cleo@1");
  EXPECT_THAT(core.request().under,
              ElementsAre(std::pair(Partition{0}, Epoch{1}), std::pair(Partition{3}, Epoch{1})));
}

}  // namespace
}  // namespace helsekontakter::test

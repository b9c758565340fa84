#include "adapters/json/packed_headers.h"
#include "tests/integration/kafka/kafka_fixture.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

// What the source tells the core, and when it lets go.

namespace helsekontakter::kafka::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Source = RealKafka;

std::vector<Sent> events(int count, std::int32_t partitions = 1, std::size_t bytes = 16) {
  std::vector<Sent> messages;
  for (int i = 0; i < count; ++i) {
    messages.push_back({.value = std::string(bytes, 'e'), .partition = i % partitions});
  }
  return messages;
}

/// As the core does once nothing of them is under way any more.
void release_revoked(Member& member) {
  SourceOrders orders;
  for (const Revoked& gone : std::exchange(member.revoked, {})) {
    orders.release.emplace_back(gone.partition, gone.epoch);
    member.assigned.erase(gone.partition);
  }
  member.source.order(orders);
}

TEST_F(Source, HandsOverHeadersKeyNullAndTime) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, {{.value = "", .key = "gone", .null_value = true},
                  {.value = "", .headers = {{"ce_id", "1"}, {"empty", ""}}}});
  std::atomic<int> nulls{0};
  std::atomic<bool> timed{true};
  Member member(source_settings(input), record_settings(results), 64 << 20,
                [&](const json::RawEvent& raw) {
                  nulls += raw.is_null ? 1 : 0;
                  timed = timed && raw.broker_time > raw.now - 60s && raw.plain_source == input;
                  return decode_plainly(raw);
                });
  ASSERT_TRUE(member.take_deliveries(2));
  EXPECT_EQ(nulls, 1);
  EXPECT_TRUE(timed);
  EXPECT_TRUE(std::holds_alternative<Tombstone>(member.deliveries[0].content));
  const auto headers = json::unpack_headers(member.deliveries[1].texts[Texts::Field::headers]);
  ASSERT_TRUE(headers);
  ASSERT_THAT(*headers, SizeIs(2));
  EXPECT_EQ((*headers)[0].second, "1");
  EXPECT_NE((*headers)[1].second.data(), nullptr);
}

TEST_F(Source, TellsHowFarItReadBeyondTransactionMarkers) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, events(3));
  Member first(source_settings(input), record_settings(results));
  ASSERT_TRUE(first.take_deliveries(3));
  ASSERT_TRUE(first.record_all());
  // The results topic ends with a transaction marker, which is no record.
  const auto more = make_topic(1);
  Member second(source_settings(results), record_settings(more));
  ASSERT_TRUE(second.take_until([&] { return !second.reached.empty(); }));
  EXPECT_THAT(second.deliveries, SizeIs(3));
  EXPECT_EQ(second.reached.back().position, 4);
  EXPECT_EQ(second.assigned.at(Partition{0}).end, 4);
}

TEST_F(Source, BeginsAtTheEndWhenToldToAndNothingWasCommitted) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, events(3));
  auto settings = source_settings(input);
  settings.start = Start::latest;
  Member member(settings, record_settings(results));
  ASSERT_TRUE(member.take_assigned(1));
  EXPECT_EQ(member.assigned.at(Partition{0}).committed, 3);
  produce(input, events(1));
  ASSERT_TRUE(member.take_deliveries(1));
  EXPECT_EQ(member.deliveries[0].position.offset, 3);
}

TEST_F(Source, LetsARevokedPartitionGoOnlyWhenTheCoreReleasesIt) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  produce(input, events(10, 2));
  Member first(source_settings(input), record_settings(results));
  ASSERT_TRUE(first.take_assigned(2));
  ASSERT_TRUE(first.take_deliveries(10));
  const auto claim = std::vector{std::pair{Partition{0}, first.assigned.at(Partition{0}).epoch}};
  ASSERT_TRUE(first.take_until([&] { return first.source.still_ours(claim); }, 10s));

  Member second(source_settings(input), record_settings(results));
  ASSERT_TRUE(first.take_until([&] { return first.revoked.size() == 2; }));
  EXPECT_FALSE(first.source.still_ours(claim));
  second.take_for(2s);
  EXPECT_THAT(second.assigned, IsEmpty());
  // What was concluded is still recorded under the old assignment.
  EXPECT_TRUE(first.record_all());
  release_revoked(first);
  ASSERT_TRUE(second.take_assigned(1));
  ASSERT_TRUE(first.take_assigned(1));
  EXPECT_EQ(second.assigned.begin()->second.committed, 5);
  EXPECT_EQ(first.assigned.begin()->second.committed, 5);
  EXPECT_THAT(first.lost, IsEmpty());
}

TEST_F(Source, GivesUpARevokedPartitionBeforeTheGroupThrowsItOut) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  auto settings = source_settings(input);
  settings.rebalance_timeout = Milliseconds{6000};
  Member first(settings, record_settings(results));
  ASSERT_TRUE(first.take_assigned(2));
  Member second(settings, record_settings(results));
  ASSERT_TRUE(first.take_until([&] { return first.lost.size() == 2; }, 20s));
  EXPECT_TRUE(first.troubled_by("not concluded within the rebalance timeout"));
  EXPECT_TRUE(second.take_assigned(1));
}

TEST_F(Source, OfADeadWorkerIsReplacedOnlyWhenItsSessionIsOver) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  const auto settings = source_settings(input);
  auto first = std::make_unique<Member>(settings, record_settings(results));
  ASSERT_TRUE(first->take_assigned(1));
  const auto died = Clock::now();
  first.reset();
  Member second(settings, record_settings(results));
  ASSERT_TRUE(second.take_assigned(1));
  EXPECT_GE(Clock::now() - died, 3s) << "a heartbeat may be two seconds old";
}

TEST_F(Source, ThatStoodStillTooLongLosesItsPartitions) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, events(2));
  auto settings = source_settings(input);
  settings.rebalance_timeout = Milliseconds{6000};
  std::atomic<bool> stuck{true};
  Member member(settings, record_settings(results), 64 << 20, [&](const json::RawEvent& raw) {
    if (stuck.exchange(false)) std::this_thread::sleep_for(9s);  // longer than the group waits
    return decode_plainly(raw);
  });
  ASSERT_TRUE(member.take_until([&] { return !member.lost.empty(); }));
  ASSERT_TRUE(member.take_assigned(1));
  const Epoch epoch = member.assigned.at(Partition{0}).epoch;
  EXPECT_GT(epoch, member.lost[0].epoch);
  member.deliveries.clear();
  const auto anew = [&] { return !member.deliveries.empty(); };
  ASSERT_TRUE(member.take_until(anew));
}

TEST_F(Source, HoldsAPartitionWhoseNextEventsWereDeleted) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  produce(input, events(20, 2));
  {
    Member first(source_settings(input), record_settings(results));
    ASSERT_TRUE(first.take_assigned(2));
    ASSERT_TRUE(first.take_deliveries(20));
    std::erase_if(first.deliveries, [](const Delivery& d) { return d.position.offset >= 2; });
    ASSERT_TRUE(first.record_all());
    first.source.stop(true);
  }
  delete_records(input, 1, 6);
  Member second(source_settings(input), record_settings(results));
  ASSERT_TRUE(second.take_deliveries(8));
  second.take_for(1s);
  EXPECT_THAT(second.assigned, SizeIs(1));
  EXPECT_TRUE(second.troubled_by("from offset 2 to 5 were deleted"));
  EXPECT_TRUE(second.held.at(Partition{1}));
  for (const Delivery& delivery : second.deliveries) {
    EXPECT_EQ(delivery.position.partition, Partition{0});
  }
}

TEST_F(Source, HoldsEveryPartitionOnceTheTopicHasMoreOfThemThanTheLedger) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  auto settings = source_settings(input);
  settings.ledger_partitions = 2;
  Member first(settings, record_settings(results));
  ASSERT_TRUE(first.take_assigned(2));
  Member second(settings, record_settings(results));
  ASSERT_TRUE(first.take_until([&] { return first.revoked.size() == 2; }));
  release_revoked(first);
  ASSERT_TRUE(first.take_assigned(1));
  ASSERT_TRUE(second.take_assigned(1));

  grow_topic(input, 4);
  ASSERT_TRUE(first.take_until([&] { return !first.revoked.empty(); }));
  ASSERT_TRUE(second.take_until([&] { return !second.revoked.empty(); }));
  release_revoked(first);
  release_revoked(second);
  const std::string told = input + " has 4 partitions and the ledger 2";
  for (Member* member : {&first, &second}) {
    EXPECT_TRUE(member->take_until([&] { return member->troubled_by(told); }));
  }
  produce(input, events(8, 4));
  for (Member* member : {&first, &second}) {
    member->take_for(1s);
    EXPECT_THAT(member->assigned, IsEmpty());
    EXPECT_THAT(member->deliveries, IsEmpty());
  }
}

TEST_F(Source, LeavesQueuesUnreadWithinTheirBytesWhenNobodyTakes) {
  const auto input = make_topic(4);
  const auto results = make_topic(1);
  constexpr int count = 40'000;
  produce(input, events(count, 4, 1000));
  auto settings = source_settings(input);
  settings.fetch_bytes_max = 4 << 20;
  Member member(settings, record_settings(results), 1 << 20);
  ASSERT_TRUE(member.take_assigned(4));
  // Nobody takes: the inbox fills up, and the group is kept all the same.
  std::this_thread::sleep_for(8s);
  EXPECT_LE(member.inbox.delivery_bytes(), (1u << 20) + 1'500'000);
  EXPECT_LE(member.bytes_read, 8'000'000u) << "what waits in the inbox and before it";
  ASSERT_TRUE(member.take_deliveries(count, 60s));
  EXPECT_THAT(member.lost, IsEmpty());
  std::map<Partition, Offset> next;
  for (const Delivery& delivery : member.deliveries) {
    ASSERT_EQ(delivery.position.offset, next[delivery.position.partition]++);
  }
}

TEST_F(Source, ReadsNothingOfAPausedPartition) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  Member member(source_settings(input), record_settings(results));
  ASSERT_TRUE(member.take_assigned(2));
  const Epoch epoch = member.assigned[Partition{1}].epoch;
  member.source.order({.pause = {{Partition{1}, epoch}, {Partition{0}, Epoch{99}}}});
  member.take_for(300ms);
  produce(input, events(10, 2));
  ASSERT_TRUE(member.take_deliveries(5));
  member.take_for(500ms);
  EXPECT_THAT(member.deliveries, SizeIs(5));
  member.source.order({.resume = {{Partition{1}, epoch}}});
  EXPECT_TRUE(member.take_deliveries(10, 2s)) << "what was fetched is still there";
}

/// Threads that take the processor away from the source at every step.
class Crowd {
 public:
  Crowd() {
    for (int i = 0; i < 8; ++i) {
      threads_.emplace_back([this] {
        while (!over_) {
        }
      });
    }
  }
  ~Crowd() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

/// Checks that the offsets of each partition follow each other within each epoch.
class Sequence {
 public:
  [[nodiscard]] bool continues_with(const std::vector<Delivery>& deliveries) {
    for (const Delivery& delivery : deliveries) {
      const auto& [partition, offset] = delivery.position;
      if (offset != next_[{partition, delivery.epoch}]++) return false;
    }
    return true;
  }
  [[nodiscard]] std::size_t epochs() const { return next_.size(); }

 private:
  std::map<std::pair<Partition, Epoch>, Offset> next_;
};

// Fetchers start beside the reader: whoever is quicker, each record comes once and in order.
TEST_F(Source, SkipsNothingWhenItJoins) {
  const auto input = make_topic(8);
  const auto results = make_topic(1);
  constexpr std::size_t count = 40'000;
  produce(input, events(count, 8));
  const Crowd crowd;
  for (int round = 0; round < 12; ++round) {
    Member member(source_settings(input), record_settings(results));
    ASSERT_TRUE(member.take_deliveries(count)) << "round " << round;
    ASSERT_TRUE(Sequence().continues_with(member.deliveries)) << "round " << round;
    EXPECT_THAT(member.lost, IsEmpty());
    member.source.stop(true);
  }
}

TEST_F(Source, SkipsNothingHoweverOftenItIsReadAnew) {
  const auto input = make_topic(4);
  const auto results = make_topic(1);
  produce(input, events(60'000, 4));
  Member member(source_settings(input), record_settings(results));
  ASSERT_TRUE(member.take_assigned(4));
  Sequence sequence;
  for (int round = 0; round < 60; ++round) {
    // One that is not read yet stays as it is.
    member.source.order({.reread = {Partition{round % 4}, Partition{round / 4 % 4}}});
    member.take_for(std::chrono::milliseconds(10 + round % 12 * 20));
    ASSERT_TRUE(sequence.continues_with(std::exchange(member.deliveries, {}))) << round;
  }
  EXPECT_GT(sequence.epochs(), 30u) << "times that a partition was read";
  ASSERT_TRUE(member.take_assigned(4));
}

TEST_F(Source, LetsAMessageThroughThatIsLargerThanItsFetchLimits) {
  const auto input = make_topic(1, {{"max.message.bytes", "15000000"}});
  const auto results = make_topic(1);
  produce(input, {{.value = "small"}, {.value = std::string(12'000'000, 'L')}, {.value = "after"}});
  auto settings = source_settings(input);
  settings.fetch_bytes_max = 1 << 20;
  Member member(settings, record_settings(results), 1 << 20);
  ASSERT_TRUE(member.take_deliveries(3));
  EXPECT_EQ(member.deliveries[1].texts[Texts::Field::payload].size(), 12'000'000u);
}

TEST_F(Source, WaitsForATopicThatDoesNotExistYet) {
  const auto results = make_topic(1);
  auto settings = source_settings("test-missing-" + results);
  Member member(settings, record_settings(results));
  EXPECT_TRUE(member.take_until([&] { return member.troubled_by("create it"); }));
}

TEST_F(Source, WithTheInstanceIdOfAnotherIsToldSo) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  auto settings = source_settings(input);
  settings.instance_id = "worker-1";
  Member first(settings, record_settings(results));
  ASSERT_TRUE(first.take_assigned(1));
  Member second(settings, record_settings(results));
  ASSERT_TRUE(first.take_until([&] { return first.troubled_by("its own instance id"); }));
  EXPECT_THAT(first.lost, SizeIs(1));
}

TEST_F(Source, IsNotBelievedToOwnWhatTheCoordinatorWasNotHeardAbout) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  auto settings = source_settings(input);
  settings.coordinator_silence_max = Milliseconds{0};
  Member member(settings, record_settings(results));
  ASSERT_TRUE(member.take_assigned(1));
  const auto claim = std::vector{std::pair{Partition{0}, member.assigned.at(Partition{0}).epoch}};
  member.take_for(3s);
  EXPECT_FALSE(member.source.still_ours(claim));
}

}  // namespace
}  // namespace helsekontakter::kafka::test

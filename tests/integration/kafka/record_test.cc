#include "adapters/kafka/transaction.h"
#include "tests/integration/kafka/kafka_fixture.h"

#include <gmock/gmock.h>

// Consume, record, and what the rest of the world sees of it.

namespace helsekontakter::kafka::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using Recording = RealKafka;

std::vector<Sent> numbered(int count, std::int32_t partitions = 1) {
  std::vector<Sent> messages;
  for (int i = 0; i < count; ++i) {
    messages.push_back({.value = "event-" + std::to_string(i),
                        .key = "key-" + std::to_string(i),
                        .partition = i % partitions});
  }
  return messages;
}

TEST_F(Recording, ShowsEachResultOnceToAReaderOfCommittedRecords) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  produce(input, numbered(100, 2));
  Member member(source_settings(input), record_settings(results));
  ASSERT_TRUE(member.take_assigned(2));
  ASSERT_TRUE(member.take_deliveries(100));
  EXPECT_TRUE(member.record_all());
  const auto seen = read_committed(results);
  ASSERT_THAT(seen, SizeIs(100));
  EXPECT_THAT(seen[0].value, HasSubstr(R"("type":"no.helsekontakter.result.v1")"));
  EXPECT_EQ(seen[0].headers.at("content-type"), "application/cloudevents+json");
  EXPECT_THAT(seen[0].key, HasSubstr("key-"));
}

TEST_F(Recording, GoesOnAfterTheCommittedOffsetWithItsMetadata) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, numbered(10));
  const std::string metadata(4096, 'M');
  {
    Member first(source_settings(input), record_settings(results));
    ASSERT_TRUE(first.take_assigned(1));
    EXPECT_EQ(first.assigned.at(Partition{0}).committed, 0);
    EXPECT_EQ(first.assigned.at(Partition{0}).end, 10);
    ASSERT_TRUE(first.take_deliveries(10));
    first.deliveries.resize(7);
    ASSERT_TRUE(first.record_all(Verdict::accepted, Reason::none, metadata));
    first.source.stop(true);
  }
  Member second(source_settings(input), record_settings(results));
  ASSERT_TRUE(second.take_assigned(1));
  EXPECT_EQ(second.assigned.at(Partition{0}).committed, 7);
  EXPECT_EQ(second.assigned.at(Partition{0}).metadata, metadata);
  ASSERT_TRUE(second.take_deliveries(3));
  EXPECT_EQ(second.deliveries[0].position.offset, 7);
}

TEST_F(Recording, OfMetadataOverTheBrokersLimitFailsWhollyAndSaysWhy) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, numbered(1));
  Member member(source_settings(input), record_settings(results));
  ASSERT_TRUE(member.take_deliveries(1));
  EXPECT_FALSE(member.record_all(Verdict::accepted, Reason::none, std::string(4097, 'M')));
  EXPECT_TRUE(member.troubled_by("offset.metadata.max.bytes"));
  EXPECT_THAT(read_committed(results), SizeIs(0));
}

TEST_F(Recording, OfProgressAloneMovesTheOffset) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, numbered(5));
  {
    Member first(source_settings(input), record_settings(results));
    ASSERT_TRUE(first.take_deliveries(5));
    Record record = first.next_record();
    record.conclusions.clear();
    EXPECT_EQ(first.write(std::move(record)), true);
    first.source.stop(true);
  }
  Member second(source_settings(input), record_settings(results));
  ASSERT_TRUE(second.take_assigned(1));
  EXPECT_EQ(second.assigned.at(Partition{0}).committed, 5);
}

TEST_F(Recording, CopiesRejectedEventsByteForByteWithOneErrorHeader) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  const auto letters = make_topic(1);
  produce(input, {{.value = std::string("\x00\xff{", 3),
                   .key = "k",
                   .headers = {{"a", "1"}, {"helsekontakter-error", "old"}, {"a", "2"}}}});
  Member member(source_settings(input), record_settings(results, letters));
  ASSERT_TRUE(member.take_deliveries(1));
  ASSERT_TRUE(member.record_all(Verdict::undecodable, Reason::not_json));
  const auto seen = read_committed(letters);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].value, std::string("\x00\xff{", 3));
  EXPECT_EQ(seen[0].key, "k");
  EXPECT_EQ(seen[0].header_count, 3u);
  EXPECT_THAT(seen[0].headers.at("helsekontakter-error"), HasSubstr(R"("reason":"not_json")"));
}

TEST_F(Recording, RefersToADeadLetterThatItsTopicWouldRefuse) {
  const auto input = make_topic(1, {{"max.message.bytes", "4000000"}});
  const auto results = make_topic(1);
  const auto letters = make_topic(1, {{"max.message.bytes", "20000"}});
  produce(input, {{.value = std::string(3'000'000, 'x'), .key = "k"}, {.value = "small"}});
  Member member(source_settings(input), record_settings(results, letters));
  ASSERT_TRUE(member.take_deliveries(2));
  ASSERT_TRUE(member.record_all(Verdict::rejected, Reason::member_date));
  const auto seen = read_committed(letters);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_THAT(seen[0].value, HasSubstr(R"("offset":0)"));
  EXPECT_EQ(seen[1].value, "small");
}

TEST_F(Recording, OfAZombieIsRefusedByTheBroker) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, numbered(3));
  auto settings = source_settings(input);
  Member zombie(settings, record_settings(results));
  ASSERT_TRUE(zombie.take_deliveries(3));
  Record late = zombie.next_record();
  // Its recorder keeps what it knew at the assignment, while the group moves on without it.
  auto stale = std::make_shared<Ownership>(input, 1h);
  const auto known = zombie.source.ownership()->metadata_for(late.progress);
  ASSERT_NE(known, nullptr);
  stale->take(Partition{0}, late.progress[0].epoch, 0, known);
  KafkaRecorder recorder(record_settings(results), "", input, stale, zombie.inbox, {});
  ASSERT_TRUE(recorder.start());
  zombie.source.stop(true);

  Member heir(settings, record_settings(results));
  ASSERT_TRUE(heir.take_deliveries(3));
  late.id = RecordId{77};
  recorder.record(std::move(late));
  ASSERT_TRUE(zombie.take_until([&] { return !zombie.answers.empty(); }, 60s));
  EXPECT_FALSE(zombie.answers.back().durable);
  EXPECT_THAT(read_committed(results), SizeIs(0));
  EXPECT_TRUE(heir.record_all());
  EXPECT_THAT(read_committed(results), SizeIs(3));
}

TEST_F(Recording, UnderAnOldEpochIsRefusedWithoutAskingTheBroker) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, numbered(3));
  Member member(source_settings(input), record_settings(results));
  ASSERT_TRUE(member.take_deliveries(3));
  Record record = member.next_record();
  record.progress[0].epoch = Epoch{static_cast<std::uint64_t>(record.progress[0].epoch) + 1};
  EXPECT_EQ(member.write(std::move(record)), false);
  EXPECT_TRUE(member.troubled_by("too late"));
  EXPECT_THAT(read_committed(results), SizeIs(0));
}

TEST_F(Recording, IsReadAgainAfterItFailed) {
  const auto input = make_topic(2);
  const auto results = make_topic(1);
  produce(input, numbered(6, 2));
  Member member(source_settings(input), record_settings(results));
  ASSERT_TRUE(member.take_assigned(2));
  ASSERT_TRUE(member.take_deliveries(6));
  const Epoch before = member.assigned.at(Partition{0}).epoch;
  // What the core orders after Recorded{durable = false}.
  member.deliveries.clear();
  member.source.order({.reread = {Partition{0}, Partition{1}}});
  ASSERT_TRUE(member.take_until([&] { return member.lost.size() == 2; }));
  ASSERT_TRUE(member.take_assigned(2));
  EXPECT_GT(member.assigned.at(Partition{0}).epoch, before);
  ASSERT_TRUE(member.take_deliveries(6));
  EXPECT_TRUE(member.record_all());
  EXPECT_THAT(read_committed(results), SizeIs(6));
}

TEST_F(Recording, OutlivesAProducerThatWasFencedByAnother) {
  const auto input = make_topic(1);
  const auto results = make_topic(1);
  produce(input, numbered(4));
  const auto settings = record_settings(results);
  Member member(source_settings(input), settings);
  ASSERT_TRUE(member.take_deliveries(4));
  ASSERT_TRUE(member.record_all());
  const auto intruder = RecordSession::open(settings, "", input, {}, {}, Clock::now() + 20s);
  ASSERT_TRUE(intruder) << intruder.error().message;
  produce(input, numbered(2));
  ASSERT_TRUE(member.take_deliveries(2));
  EXPECT_TRUE(member.record_all());
  EXPECT_TRUE(member.troubled_by("instance id"));
  EXPECT_THAT(read_committed(results), SizeIs(6));
}

}  // namespace
}  // namespace helsekontakter::kafka::test

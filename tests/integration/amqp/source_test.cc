#include "adapters/json/packed_headers.h"
#include "tests/integration/amqp/amqp_fixture.h"
#include "worker/ordering/progress.h"

#include <atomic>

#include <gmock/gmock.h>
#include <proton/codec/vector.hpp>
#include <proton/message_id.hpp>
#include <proton/timestamp.hpp>
#include <proton/value.hpp>

// Deliveries from a real broker: what the core is told, and when the broker is.

namespace helsekontakter::amqp::test {
namespace {

using Field = Texts::Field;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Source = RealAmqp;

std::vector<std::string> numbered(int count) {
  std::vector<std::string> bodies;
  for (int i = 0; i < count; ++i) bodies.push_back("event-" + std::to_string(i));
  return bodies;
}

/// A source, the core before it and the operator's ear.
struct Station {
  explicit Station(SourceSettings settings, std::size_t inbox_bytes = 64 << 20)
      : core(inbox_bytes),
        source(std::move(settings), "secret", decode_plainly, core.inbox, ear.observer()) {
    EXPECT_TRUE(source.start());
  }
  Ear ear;
  Core core;
  AmqpSource source;
};

std::map<std::string, std::string> headers_of(const Delivery& delivery) {
  std::map<std::string, std::string> texts;
  const auto headers = json::unpack_headers(delivery.texts[Field::headers]);
  for (const auto& [name, value] : *headers) texts.emplace(name, value);
  return texts;
}

TEST_F(Source, AssignsItsQueueAndDeliversInOrder) {
  const auto queue = make_queue();
  produce(queue, numbered(1000));
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(1000)) << station.ear.all();
  const Assigned& assigned = station.core.assigned.back();
  EXPECT_EQ(assigned.partition, Partition{0});
  EXPECT_EQ(assigned.committed, assigned.end);
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(station.core.deliveries[i].position.offset,
              assigned.committed + static_cast<Offset>(i));
    EXPECT_EQ(station.core.deliveries[i].texts[Field::id], "event-" + std::to_string(i));
    EXPECT_EQ(station.core.deliveries[i].epoch, assigned.epoch);
  }
}

TEST_F(Source, SaysThatWhatCameBeforeMayStillBeUnderWay) {
  Station station(source_settings(make_queue()));
  ASSERT_TRUE(station.core.take_assigned());
  const Assigned& assigned = station.core.assigned[0];
  const auto mark = decode(assigned.metadata, assigned.committed);
  ASSERT_TRUE(mark);
  EXPECT_TRUE(mark->unsettled);
}

TEST_F(Source, CarriesKeyHeadersAndContentType) {
  const auto queue = make_queue();
  proton::message message = data_message("{}");
  message.group_id("group-7");
  message.content_type("application/json; charset=utf-8");
  message.properties().put("cloudEvents:id", "17");
  message.properties().put("cloudEvents_source", "/members");
  message.properties().put("count", 5);
  message.properties().put("yes", true);
  message.properties().put("cloudEvents:time", proton::timestamp(1'700'000'000'123));
  message.id(proton::message_id("message-9"));
  ASSERT_TRUE(send(broker, queue, {message}));
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(1)) << station.ear.all();
  const Delivery& delivery = station.core.deliveries[0];
  EXPECT_EQ(delivery.texts[Field::key], "group-7");
  EXPECT_EQ(delivery.texts[Field::subject], "message-9");
  EXPECT_EQ(delivery.texts[Field::source], queue);
  const auto headers = headers_of(delivery);
  EXPECT_EQ(headers.at("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(headers.at("cloudEvents:id"), "17");
  EXPECT_EQ(headers.at("cloudEvents_source"), "/members");
  EXPECT_EQ(headers.at("cloudEvents:time"), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(headers.at("count"), "5");
  EXPECT_EQ(headers.at("yes"), "true");
}

TEST_F(Source, TakesAStringAndAnEmptyBodyAndNamesWhatItCannotRead) {
  const auto queue = make_queue();
  proton::message text;
  text.body(std::string("as text"));
  proton::message list;
  list.body(std::vector<int>{1, 2, 3});
  proton::message nothing = data_message("");
  ASSERT_TRUE(send(broker, queue, {text, list, nothing}));
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(3)) << station.ear.all();
  EXPECT_EQ(station.core.deliveries[0].texts[Field::payload], "as text");
  EXPECT_EQ(station.core.deliveries[0].texts[Field::detail], "");
  EXPECT_THAT(station.core.deliveries[1].texts[Field::detail],
              HasSubstr("neither Data nor a String"));
  EXPECT_EQ(station.core.deliveries[2].texts[Field::payload], "");
  EXPECT_EQ(station.core.deliveries[2].texts[Field::detail], "");
}

TEST_F(Source, NamesAMessageWithoutIdByItsContent) {
  const auto queue = make_queue();
  produce(queue, {"same", "same", "other"});
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(3));
  const auto& deliveries = station.core.deliveries;
  EXPECT_THAT(deliveries[0].texts[Field::subject], SizeIs(36));
  EXPECT_EQ(deliveries[0].texts[Field::subject], deliveries[1].texts[Field::subject]);
  EXPECT_NE(deliveries[0].texts[Field::subject], deliveries[2].texts[Field::subject]);
}

TEST_F(Source, TakesFiveMegabytes) {
  const auto queue = make_queue();
  produce(queue, {std::string(5'000'000, 'x'), "small"});
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(2)) << station.ear.all();
  EXPECT_THAT(station.core.deliveries[0].texts[Field::payload], SizeIs(5'000'000));
}

TEST_F(Source, TakesWhatCameInTimeHoweverLongItThenWaits) {
  const auto queue = make_queue();
  proton::message message = data_message("a");
  message.ttl(proton::duration(5000));
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_assigned());
  ASSERT_TRUE(send(broker, queue, {message, message}));
  ASSERT_TRUE(station.core.take_deliveries(2)) << station.ear.all();
  EXPECT_THAT(station.ear.all(), HasSubstr("time to live"));
  EXPECT_THAT(station.ear.all(), HasSubstr("Let the sender set none"));
  EXPECT_EQ(station.ear.troubles(), 1u) << "it is said once";
  EXPECT_FALSE(station.core.take_deliveries(3, 6s));
  EXPECT_TRUE(station.core.lost.empty());
  station.source.settle(station.core.settlement_of_all());
  station.source.stop();
  EXPECT_THAT(receive(broker, queue, 1, 1s), SizeIs(0));
}

TEST_F(Source, WhatWaitedTooLongForItsTimeToLiveIsKeptByTheBrokersRecipe) {
  std::string queue = "membership-changes";
  std::string kept = "membership-expired";
  if (broker.is_rabbitmq) {
    rabbitmqctl("import_definitions " HELSEKONTAKTER_SOURCE_DIR
                "/deploy/rabbitmq/single-active-consumer.json");
    queue = "/amq/queue/" + queue;
    kept = "/amq/queue/membership-changes-expired";
  }
  (void)receive(broker, queue, 1000, 300ms);
  (void)receive(broker, kept, 1000, 300ms);
  proton::message message = data_message("late");
  message.ttl(proton::duration(1));
  ASSERT_TRUE(send(broker, queue, {message, data_message("a")}));
  const auto found = receive(broker, kept, 1, 40s);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(body_of(found[0]), "late");
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(1)) << station.ear.all();
  EXPECT_EQ(station.core.deliveries[0].texts[Field::id], "a");
  station.source.settle(station.core.settlement_of_all());
}

TEST_F(Source, SettlesNothingByItself) {
  const auto queue = make_queue();
  produce(queue, numbered(20));
  {
    Station station(source_settings(queue));
    ASSERT_TRUE(station.core.take_deliveries(20));
  }
  EXPECT_THAT(receive(broker, queue, 20), SizeIs(20));
}

TEST_F(Source, SettlesWhatItIsToldAndGivesTheRestBack) {
  const auto queue = make_queue();
  produce(queue, numbered(20));
  {
    Station station(source_settings(queue));
    ASSERT_TRUE(station.core.take_deliveries(20));
    Settlement settlement;
    for (const Delivery& delivery : station.core.deliveries) {
      const Offset offset = delivery.position.offset;
      if (offset % 2 == 0) settlement.deliveries.emplace_back(delivery.epoch, offset);
    }
    station.source.settle(settlement);
  }
  const auto left = receive(broker, queue, 20);
  ASSERT_THAT(left, SizeIs(10));
  EXPECT_EQ(body_of(left[0]), "event-1");
  EXPECT_EQ(body_of(left[9]), "event-19");
}

TEST_F(Source, SettlesWhatLiesBelowTheProgress) {
  const auto queue = make_queue();
  produce(queue, numbered(20));
  {
    Station station(source_settings(queue));
    ASSERT_TRUE(station.core.take_deliveries(20));
    const Assigned& assigned = station.core.assigned.back();
    station.source.settle({.deliveries = {}, .below = {{assigned.epoch, assigned.committed + 15}}});
  }
  EXPECT_THAT(receive(broker, queue, 20), SizeIs(5));
}

TEST_F(Source, IgnoresASettlementOfAnOlderEpoch) {
  const auto queue = make_queue();
  produce(queue, numbered(3));
  {
    Station station(source_settings(queue));
    ASSERT_TRUE(station.core.take_deliveries(3));
    Settlement settlement = station.core.settlement_of_all();
    for (auto& [epoch, offset] : settlement.deliveries) {
      epoch = Epoch{static_cast<std::uint64_t>(epoch) - 1};
    }
    station.source.settle(settlement);
  }
  EXPECT_THAT(receive(broker, queue, 3), SizeIs(3));
}

TEST_F(Source, GivesNoMoreCreditThanTheInboxHasRoomFor) {
  const auto queue = make_queue();
  produce(queue, std::vector<std::string>(3000, std::string(1000, 'x')));
  SourceSettings settings = source_settings(queue);
  settings.places_max = 100;
  Station station(settings, 50'000);  // about 20 deliveries, which nobody takes
  ASSERT_TRUE(station.core.take_assigned());
  // What one push lets in may be more than the limit; then what was granted waits, no more.
  const std::string name = queue.substr(queue.rfind('/') + 1);
  const auto left = receive(broker, queue, 3000, 2s);
  EXPECT_GE(left.size(), 3000u - 700u);
  ASSERT_TRUE(station.core.take_deliveries(3000 - left.size()));
}

/// What can come again must be able to come without a settlement. RabbitMQ 3.10 may send a few more
/// than was granted when more is granted while messages are on their way.
TEST_F(Source, TakesNoMoreThanMayBeUnsettled) {
  const auto queue = make_queue();
  produce(queue, numbered(100));
  SourceSettings settings = source_settings(queue);
  settings.places_max = 8;
  settings.unsettled_max = 9;  // a portion of credit is two at least
  Station station(settings);
  ASSERT_TRUE(station.core.take_deliveries(9)) << station.ear.all();
  const std::size_t more = broker.is_rabbitmq ? 30 : 1;
  EXPECT_FALSE(station.core.take_deliveries(9 + more, 500ms));
  const Epoch epoch = station.core.assigned[0].epoch;
  const Offset first = station.core.deliveries[0].position.offset;
  const auto taken = station.core.deliveries.size();
  station.source.settle({.deliveries = {}, .below = {{epoch, first + static_cast<Offset>(taken)}}});
  ASSERT_TRUE(station.core.take_deliveries(taken + 9));
  EXPECT_FALSE(station.core.take_deliveries(taken + 9 + more, 500ms));
}

TEST_F(Source, SettlesWhatIsConcludedThoughOlderOnesAreNot) {
  const auto queue = make_queue();
  produce(queue, numbered(20));
  SourceSettings settings = source_settings(queue);
  settings.unsettled_max = 10;
  Station station(settings);
  ASSERT_TRUE(station.core.take_deliveries(10));
  const Epoch epoch = station.core.assigned[0].epoch;
  const Offset first = station.core.deliveries[0].position.offset;
  station.source.settle({.deliveries = {{epoch, first + 3}, {epoch, first + 9}}, .below = {}});
  EXPECT_TRUE(station.core.take_deliveries(12)) << "two places are free again";
}

TEST_F(Source, ReadsNothingWhilePausedAndGoesOnAfterwards) {
  const auto queue = make_queue();
  SourceSettings settings = source_settings(queue);
  settings.places_max = 10;
  Station station(settings);
  ASSERT_TRUE(station.core.take_assigned());
  const Epoch epoch = station.core.assigned[0].epoch;
  station.source.order({.pause = {{Partition{0}, epoch}}});
  produce(queue, numbered(100));
  EXPECT_FALSE(station.core.take_deliveries(1, 1s));
  station.source.order({.resume = {{Partition{0}, epoch}}});
  EXPECT_TRUE(station.core.take_deliveries(100)) << station.ear.all();
}

TEST_F(Source, ReadsAgainUnderANewEpochWhenARecordFailed) {
  const auto queue = make_queue();
  produce(queue, numbered(50));
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(50));
  const Epoch before = station.core.assigned.back().epoch;
  const Offset highest = station.core.deliveries.back().position.offset;
  station.core.deliveries.clear();
  station.source.order({.reread = {Partition{0}}});
  ASSERT_TRUE(station.core.take_deliveries(50)) << station.ear.all();
  EXPECT_GT(station.core.assigned.back().epoch, before);
  EXPECT_EQ(station.core.lost.back().epoch, before);
  EXPECT_GT(station.core.deliveries.front().position.offset, highest);
  EXPECT_EQ(station.core.deliveries.front().texts[Field::id], "event-0");
}

TEST_F(Source, GivesBackWhatIsNotConcludedWhenItIsReleased) {
  const auto queue = make_queue();
  produce(queue, numbered(40));
  Station station(source_settings(queue));
  ASSERT_TRUE(station.core.take_deliveries(40));
  ASSERT_TRUE(station.ear.attached());
  const Epoch epoch = station.core.assigned.back().epoch;
  Settlement settlement = station.core.settlement_of_all();
  settlement.deliveries.resize(30);
  station.source.settle(settlement);
  station.source.order({.release = {{Partition{0}, epoch}}});
  ASSERT_TRUE(station.core.take_until([&] { return !station.ear.attached(); }));
  const std::pair<Partition, Epoch> claim{Partition{0}, epoch};
  EXPECT_FALSE(station.source.still_ours({&claim, 1}));
  EXPECT_THAT(receive(broker, queue, 40), SizeIs(10));
  if (broker.is_rabbitmq) {
    // Under load it leaves the end of a session unconfirmed now and then.
    EXPECT_THAT(station.ear.all(), AnyOf(IsEmpty(), StartsWith("the broker did not confirm")));
    EXPECT_LE(station.ear.troubles(), 1u) << station.ear.all();
  } else {
    EXPECT_EQ(station.ear.troubles(), 0u) << station.ear.all();
  }
}

TEST_F(Source, KnowsItsEpochFromOlderOnes) {
  Station station(source_settings(make_queue()));
  ASSERT_TRUE(station.core.take_assigned());
  const Epoch epoch = station.core.assigned[0].epoch;
  const std::pair<Partition, Epoch> now{Partition{0}, epoch};
  const std::pair<Partition, Epoch> before{Partition{0},
                                           Epoch{static_cast<std::uint64_t>(epoch) - 1}};
  EXPECT_TRUE(station.source.still_ours({&now, 1}));
  EXPECT_FALSE(station.source.still_ours({&before, 1}));
  station.source.stop();
  EXPECT_FALSE(station.source.still_ours({&now, 1}));
}

}  // namespace
}  // namespace helsekontakter::amqp::test

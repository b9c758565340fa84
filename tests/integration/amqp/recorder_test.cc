#include "tests/integration/amqp/amqp_fixture.h"
#include "tests/integration/amqp/gate.h"

#include <atomic>
#include <set>

#include <gmock/gmock.h>
#include <proton/message_id.hpp>

// Results on a real broker: durable means that the broker said so, and only then is anything
// settled.

namespace helsekontakter::amqp::test {
namespace {

using Field = Texts::Field;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Recorder = RealAmqp;

/// A recorder, the core before it and the operator's ear.
struct Desk {
  explicit Desk(RecordSettings settings, Steps steps = {})
      : recorder(std::move(settings), "secret", "/queue/input", plain_text(), std::move(steps),
                 core.inbox, ear.observer()) {
    EXPECT_TRUE(recorder.start());
  }
  [[nodiscard]] std::optional<bool> write(Record record) {
    const RecordId id = record.id;
    recorder.record(std::move(record));
    return core.answer(id);
  }
  Ear ear;
  Core core;
  AmqpRecorder recorder;
};

Delivery change(const std::string& id, const std::string& key = "key") {
  Delivery delivery{.position = {Partition{0}, 7}, .epoch = Epoch{1}};
  delivery.texts.append(Field::id, id);
  delivery.texts.append(Field::key, key);
  delivery.texts.append(Field::traceparent, "00-trace");
  delivery.content = Change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
  return delivery;
}

std::vector<Delivery> changes(int count) {
  std::vector<Delivery> all;
  for (int i = 0; i < count; ++i) all.push_back(change("result-" + std::to_string(i)));
  return all;
}

std::vector<std::string> bodies(const std::vector<proton::message>& messages) {
  std::vector<std::string> texts;
  for (const proton::message& message : messages) texts.push_back(body_of(message));
  return texts;
}

TEST_F(Recorder, TellsDurableOnceTheBrokerHasEveryResult) {
  const auto queue = make_queue();
  Desk desk(record_settings(queue));
  EXPECT_EQ(desk.write(desk.core.record_of(changes(1000))), true) << desk.ear.all();
  const auto seen = receive(broker, queue, 1000);
  ASSERT_THAT(seen, SizeIs(1000));
  EXPECT_EQ(body_of(seen[0]), "result-0");
  EXPECT_EQ(body_of(seen[999]), "result-999");
}

TEST_F(Recorder, WritesDurableCloudEventsUnderTheKeyOfTheChange) {
  const auto queue = make_queue();
  Desk desk(record_settings(queue));
  ASSERT_EQ(desk.write(desk.core.record_of({change("a", "group-7")})), true) << desk.ear.all();
  const auto seen = receive(broker, queue, 1);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_TRUE(seen[0].durable());
  EXPECT_EQ(seen[0].content_type(), "application/cloudevents+json");
  EXPECT_EQ(seen[0].group_id(), "group-7");
  EXPECT_EQ(properties_of(seen[0]).at("traceparent"), "00-trace");
  EXPECT_THAT(proton::to_string(seen[0].id()), SizeIs(36));
}

TEST_F(Recorder, WritesTheAttributesAsPropertiesInBinaryMode) {
  const auto queue = make_queue();
  RecordSettings settings = record_settings(queue);
  settings.mode = EventMode::binary;
  Desk desk(settings);
  ASSERT_EQ(desk.write(desk.core.record_of({change("a", "group-7")})), true) << desk.ear.all();
  const auto seen = receive(broker, queue, 1);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(body_of(seen[0]), "a");
  EXPECT_EQ(seen[0].content_type(), "application/json");
  EXPECT_EQ(seen[0].group_id(), "group-7");
  const auto properties = properties_of(seen[0]);
  EXPECT_EQ(properties.at("cloudEvents:specversion"), "1.0");
  EXPECT_EQ(properties.at("cloudEvents:subject"), "a");
}

TEST_F(Recorder, GivesARepeatedResultTheSameId) {
  const auto queue = make_queue();
  Desk desk(record_settings(queue));
  ASSERT_EQ(desk.write(desk.core.record_of({change("a")})), true);
  ASSERT_EQ(desk.write(desk.core.record_of({change("a")})), true);
  const auto seen = receive(broker, queue, 2);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].id(), seen[1].id());
}

TEST_F(Recorder, PublishesNothingOfAChangeThatOnlyWaitsFromNowOn) {
  const auto queue = make_queue();
  Desk desk(record_settings(queue));
  Record record = desk.core.record_of(changes(3));
  record.conclusions[1].publishes = false;
  ASSERT_EQ(desk.write(std::move(record)), true) << desk.ear.all();
  EXPECT_THAT(bodies(receive(broker, queue, 3, 1s)), ElementsAre("result-0", "result-2"));
}

TEST_F(Recorder, KeepsTheOrderOfLedgerResultsAndSettlement) {
  const auto queue = make_queue();
  std::vector<std::string> order;
  const auto note = [&](const std::string& what) -> Step {
    return [&order, &queue, what, this](std::shared_ptr<const Record>, auto done) {
      const std::size_t there = receive(broker, queue, 1, 500ms).size();
      order.push_back(what + " with " + std::to_string(there) + " result(s) there");
      done({});
    };
  };
  Desk desk(record_settings(queue), {.ledger = note("ledger"), .settle = note("settle")});
  ASSERT_EQ(desk.write(desk.core.record_of({change("a")})), true) << desk.ear.all();
  EXPECT_THAT(order, ElementsAre("ledger with 0 result(s) there", "settle with 1 result(s) there"));
}

TEST_F(Recorder, PublishesNothingWhenTheLedgerFails) {
  const auto queue = make_queue();
  bool settled = false;
  Desk desk(record_settings(queue),
            {.ledger = [](auto, auto done) { done(fail(Remedy::stop, "the ledger is torn")); },
             .settle = [&](auto, auto done) { settled = true, done({}); }});
  EXPECT_EQ(desk.write(desk.core.record_of({change("a")})), false);
  EXPECT_TRUE(desk.ear.heard("the ledger is torn"));
  EXPECT_FALSE(settled);
  EXPECT_THAT(receive(broker, queue, 1, 1s), SizeIs(0));
}

TEST_F(Recorder, TriesTheLedgerAgainBeforeAnythingIsPublished) {
  const auto queue = make_queue();
  int tries = 0;
  Desk desk(record_settings(queue), {.ledger =
                                         [&](auto, auto done) {
                                           EXPECT_THAT(receive(broker, queue, 1, 300ms), SizeIs(0));
                                           if (++tries < 3) {
                                             done(fail(Remedy::retry, "the disk is full"));
                                           } else {
                                             done({});
                                           }
                                         },
                                     .settle = {}});
  EXPECT_EQ(desk.write(desk.core.record_of({change("a")})), true) << desk.ear.all();
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(desk.ear.troubles(), 1u) << "said once:\n" << desk.ear.all();
}

TEST_F(Recorder, FailsWhenAStepNeverAnswers) {
  RecordSettings settings = record_settings(make_queue());
  settings.record_timeout = Milliseconds{500};
  Desk desk(settings, {.ledger = [](auto, auto) {}, .settle = {}});
  EXPECT_EQ(desk.write(desk.core.record_of({change("a")})), false);
  EXPECT_TRUE(desk.ear.heard("was not durable within 500 ms"));
}

TEST_F(Recorder, OfProgressAloneSettlesWithoutAResult) {
  std::atomic<int> settled{0};
  Desk desk(record_settings(make_queue()),
            {.ledger = {}, .settle = [&](auto, auto done) { ++settled, done({}); }});
  EXPECT_EQ(desk.write(desk.core.record_of({})), true);
  EXPECT_EQ(settled, 1);
}

TEST_F(Recorder, CopiesARejectedEventByteForByteAndSaysWhy) {
  const auto input = make_queue();
  const auto results = make_queue();
  const auto letters = make_queue();
  proton::message bad = data_message(std::string("\x00\xff{", 3));
  bad.content_type("application/json");
  bad.group_id("g");
  bad.properties().put("cloudEvents:id", "17");
  bad.properties().put("helsekontakter-error", "old");
  ASSERT_TRUE(send(broker, input, {bad}));
  RecordSettings settings = record_settings(results);
  settings.dead_letter_address = letters;
  Desk desk(settings);
  AmqpSource source(source_settings(input), "secret", decode_plainly, desk.core.inbox, {});
  ASSERT_TRUE(source.start());
  ASSERT_TRUE(desk.core.take_deliveries(1));
  Record record = desk.core.record_of(desk.core.deliveries, Verdict::undecodable, Reason::not_json);
  ASSERT_EQ(desk.write(std::move(record)), true) << desk.ear.all();
  const auto seen = receive(broker, letters, 1);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(body_of(seen[0]), std::string("\x00\xff{", 3));
  EXPECT_EQ(seen[0].content_type(), "application/json");
  EXPECT_EQ(seen[0].group_id(), "g");
  const auto properties = properties_of(seen[0]);
  EXPECT_EQ(properties.at("cloudEvents:id"), "17");
  EXPECT_THAT(properties.at("helsekontakter-error"), HasSubstr(R"("reason":"not_json")"));
  EXPECT_THAT(receive(broker, results, 1), SizeIs(1));
}

TEST_F(Recorder, SettlesTheSourceOnlyWhenTheRecordIsDurable) {
  const auto input = make_queue();
  const auto results = make_queue();
  produce(input, {"a", "b", "c"});
  {
    Core core;
    Ear ear;
    AmqpSource source(source_settings(input), "secret", decode_plainly, core.inbox, ear.observer());
    AmqpRecorder recorder(record_settings(results), "secret", input, plain_text(),
                          {.ledger = {},
                           .settle =
                               [&](const auto& record, auto done) {
                                 source.settle(settlement_of(*record));
                                 done({});
                               }},
                          core.inbox, ear.observer());
    ASSERT_TRUE(source.start());
    ASSERT_TRUE(recorder.start());
    ASSERT_TRUE(core.take_deliveries(3)) << ear.all();
    core.deliveries.pop_back();
    Record record = core.record_of(core.deliveries);
    const RecordId id = record.id;
    recorder.record(std::move(record));
    ASSERT_EQ(core.answer(id), true) << ear.all();
  }
  EXPECT_THAT(bodies(receive(broker, results, 3, 1s)), ElementsAre("a", "b"));
  EXPECT_THAT(bodies(receive(broker, input, 3, 1s)), ElementsAre("c"));
}

TEST_F(Recorder, SendsAgainWhatACutConnectionLeftOpen) {
  const auto queue = make_queue();
  Gate gate(broker.host_and_port);
  RecordSettings settings = record_settings(queue);
  settings.connection.urls = {gate.url()};
  Desk desk(settings);
  ASSERT_EQ(desk.write(desk.core.record_of({change("warm")})), true) << desk.ear.all();
  gate.cut_after(20'000);
  EXPECT_EQ(desk.write(desk.core.record_of(changes(500))), true) << desk.ear.all();
  EXPECT_EQ(gate.connections(), 2u);
  std::set<std::string> distinct;
  for (const auto& message : receive(broker, queue, 2000)) distinct.insert(body_of(message));
  EXPECT_THAT(distinct, SizeIs(501));
}

TEST_F(Recorder, FailsWhenTheBrokerStaysAway) {
  const auto queue = make_queue();
  Gate gate(broker.host_and_port);
  RecordSettings settings = record_settings(queue);
  settings.connection.urls = {gate.url()};
  settings.record_timeout = Milliseconds{1500};
  bool settled = false;
  Desk desk(settings, {.ledger = {}, .settle = [&](auto, auto done) { settled = true, done({}); }});
  ASSERT_EQ(desk.write(desk.core.record_of({})), true);
  settled = false;
  gate.refuse();
  gate.cut();
  EXPECT_EQ(desk.write(desk.core.record_of(changes(3))), false);
  EXPECT_FALSE(settled);
  EXPECT_TRUE(desk.ear.heard("was not durable within 1500 ms")) << desk.ear.all();
}

}  // namespace
}  // namespace helsekontakter::amqp::test

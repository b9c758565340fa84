#include "tests/integration/amqp/amqp_fixture.h"
#include "worker/ordering/progress.h"

#include <map>
#include <set>

#include <gmock/gmock.h>

// What RabbitMQ does in its own way: addresses, rights, queues that come and go.

namespace helsekontakter::amqp::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Rabbit : public RealAmqp {
 protected:
  void start(const std::string& address, const std::string& user = "worker") {
    SourceSettings settings = source_settings(address);
    settings.connection.user = user;
    settings.connection.pause_first = Milliseconds{20};
    settings.connection.pause_max = Milliseconds{100};
    source = std::make_unique<AmqpSource>(settings, "secret", decode_plainly, core.inbox,
                                          ear.observer());
    ASSERT_TRUE(source->start());
  }
  void start_recorder(const std::string& address, Milliseconds timeout) {
    RecordSettings settings = record_settings(address);
    settings.record_timeout = timeout;
    settings.retry_first = Milliseconds{20};
    settings.retry_max = Milliseconds{100};
    settings.connection.pause_max = Milliseconds{100};
    recorder = std::make_unique<AmqpRecorder>(settings, "secret", "input", plain_text(), Steps{},
                                              core.inbox, ear.observer());
    ASSERT_TRUE(recorder->start());
  }
  [[nodiscard]] bool hears(const std::string& words) {
    return core.take_until([&] { return ear.heard(words); }, 20s);
  }
  [[nodiscard]] RecordId write_one() {
    Delivery delivery{.position = {Partition{0}, 1}, .epoch = Epoch{1}};
    delivery.texts.append(Texts::Field::id, "a");
    delivery.content =
        Change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
    Record record = core.record_of({delivery});
    const RecordId id = record.id;
    recorder->record(std::move(record));
    return id;
  }

  Ear ear;
  Core core;
  std::unique_ptr<AmqpSource> source;
  std::unique_ptr<AmqpRecorder> recorder;
};

TEST_F(Rabbit, SaysThatThereIsNoSuchQueue) {
  start("/amq/queue/" + unique_name("missing"));
  EXPECT_TRUE(hears("there is no such queue")) << ear.all();
  EXPECT_THAT(core.assigned, SizeIs(0));
}

TEST_F(Rabbit, SaysWhatWasDeliveredBefore) {
  const auto queue = make_queue();
  produce(queue, std::vector<std::string>(50, "event"));
  start(queue);
  ASSERT_TRUE(core.take_deliveries(50));
  EXPECT_THAT(core.again, SizeIs(0));
  core.deliveries.clear();
  source->order({.reread = {Partition{0}}});
  ASSERT_TRUE(core.take_deliveries(50));
  ASSERT_TRUE(core.take_until([&] { return !core.again.empty(); }));
  EXPECT_EQ(core.again.back().epoch, core.assigned.back().epoch);
}

/// A broker that is behind with settlements gives back more than we left open.
TEST_F(Rabbit, TakesAllThatComesAgainWithoutASettlement) {
  const std::string name = unique_name("queue");
  const std::string queue = broker.address(name);
  produce(queue, std::vector<std::string>(60, "event"));
  {
    Core before;
    Ear ear_before;
    AmqpSource first(source_settings(queue), "secret", decode_plainly, before.inbox,
                     ear_before.observer());
    ASSERT_TRUE(first.start());
    ASSERT_TRUE(before.take_deliveries(60));
  }
  // What is still on its way back would come among what is new.
  ASSERT_TRUE(core.take_until([&] {
    return rabbitmqctl("list_queues name messages_ready").find(name + "\t60\n") !=
           std::string::npos;
  }));
  produce(queue, std::vector<std::string>(100, "event"));
  SourceSettings settings = source_settings(queue);
  settings.places_max = 8;
  settings.unsettled_max = 10;
  AmqpSource second(settings, "secret", decode_plainly, core.inbox, ear.observer());
  ASSERT_TRUE(second.start());
  // How much of what is new comes then is seen with a broker that keeps to its credit
  // (window_test.cc); this one does not.
  EXPECT_TRUE(core.take_deliveries(60)) << ear.all();
}

TEST_F(Rabbit, SaysThatTheAddressIsNone) {
  start("/nonsense/" + unique_name("queue"));
  EXPECT_TRUE(hears("no address that the broker understands")) << ear.all();
}

TEST_F(Rabbit, SaysThatTheUserHasNoRightToTheQueue) {
  const std::string name = unique_name("closed");
  produce("/queue/" + name, {"a"});
  start("/amq/queue/" + name, "reader");
  EXPECT_TRUE(hears("give this user the right")) << ear.all();
}

TEST_F(Rabbit, ReadsOnWhenADeletedQueueIsThereAgain) {
  const std::string name = unique_name("deleted");
  produce("/queue/" + name, {"a"});
  start("/amq/queue/" + name);
  ASSERT_TRUE(core.take_deliveries(1)) << ear.all();
  rabbitmqctl("delete_queue " + name);
  ASSERT_TRUE(core.take_until([&] { return !core.lost.empty(); }, 20s)) << ear.all();
  EXPECT_TRUE(hears("create it")) << ear.all();
  produce("/queue/" + name, {"b"});
  EXPECT_TRUE(core.take_deliveries(2)) << ear.all();
}

TEST_F(Rabbit, CountsRedeliveries) {
  const auto queue = make_queue();
  produce(queue, {"a", "b"});
  start(queue);
  ASSERT_TRUE(core.take_deliveries(2)) << ear.all();
  EXPECT_EQ(ear.redeliveries(), 0u);
  source->order({.reread = {Partition{0}}});
  ASSERT_TRUE(core.take_deliveries(4)) << ear.all();
  EXPECT_EQ(ear.redeliveries(), 2u);
}

TEST_F(Rabbit, BeginsToWaitWhenTheActiveConsumerIsGoneNotWhenItAttached) {
  const std::string name = unique_name("single");
  rabbitmqctl("eval 'rabbit_amqqueue:declare({resource, <<\"/\">>, queue, <<\"" + name +
              "\">>}, true, false, [{<<\"x-single-active-consumer\">>, bool, true}], none, "
              "<<\"test\">>).'");
  const std::string address = "/amq/queue/" + name;
  produce(address, {"a", "b"});
  Core active_core;
  auto active = std::make_unique<AmqpSource>(source_settings(address), "secret", decode_plainly,
                                             active_core.inbox, Observer{});
  ASSERT_TRUE(active->start());
  ASSERT_TRUE(active_core.take_deliveries(2));
  start(address);
  ASSERT_TRUE(core.take_assigned()) << ear.all();
  const Epoch at_attach = core.assigned[0].epoch;
  EXPECT_FALSE(core.take_deliveries(1, 1500ms));
  active.reset();
  ASSERT_TRUE(core.take_deliveries(2)) << ear.all();
  ASSERT_THAT(core.assigned, SizeIs(2));
  EXPECT_EQ(core.lost.at(0).epoch, at_attach);
  const auto mark = decode(core.assigned[1].metadata, core.assigned[1].committed);
  ASSERT_TRUE(mark);
  EXPECT_TRUE(mark->unsettled);
  EXPECT_EQ(core.deliveries[0].epoch, core.assigned[1].epoch);
}

TEST_F(Rabbit, SaysThatTheResultsExchangeIsMissing) {
  start_recorder("/exchange/" + unique_name("missing"), Milliseconds{1000});
  EXPECT_EQ(core.answer(write_one()), false);
  EXPECT_TRUE(ear.heard("there is no such")) << ear.all();
}

/// The recipes of deploy/rabbitmq as they stand there.
class RabbitRecipes : public Rabbit {
 protected:
  void apply(const std::string& name) {
    rabbitmqctl("import_definitions " HELSEKONTAKTER_SOURCE_DIR "/deploy/rabbitmq/" + name);
  }
  /// The queues keep their names, so what an earlier run left is taken away.
  void empty(const std::string& address) { (void)receive(broker, address, 1000, 300ms); }
};

TEST_F(RabbitRecipes, OneOfTwoWorkersReadsAndTheOtherTakesOver) {
  apply("single-active-consumer.json");
  const std::string address = "/amq/queue/membership-changes";
  empty(address);
  Core first_core;
  auto first = std::make_unique<AmqpSource>(source_settings(address), "secret", decode_plainly,
                                            first_core.inbox, Observer{});
  ASSERT_TRUE(first->start());
  ASSERT_TRUE(first_core.take_assigned());
  start(address);
  ASSERT_TRUE(core.take_assigned()) << ear.all();
  produce(address, {"a", "b", "c"});
  ASSERT_TRUE(first_core.take_deliveries(3));
  EXPECT_FALSE(core.take_deliveries(1, 500ms));
  Settlement settlement = first_core.settlement_of_all();
  settlement.deliveries.resize(1);
  first->settle(settlement);
  first.reset();
  ASSERT_TRUE(core.take_deliveries(2)) << ear.all();
  EXPECT_EQ(core.deliveries[0].texts[Texts::Field::id], "b");
  EXPECT_EQ(core.deliveries[1].texts[Texts::Field::id], "c");
  source->settle(core.settlement_of_all());
}

TEST_F(RabbitRecipes, AResultThatNoQueueTakesIsKeptByTheAlternateExchange) {
  apply("single-active-consumer.json");
  const std::string kept = "/amq/queue/membership-results-unrouted";
  empty(kept);
  start_recorder("/exchange/membership-results/" + unique_name("nobody"), Milliseconds{20'000});
  EXPECT_EQ(core.answer(write_one()), true) << ear.all();
  EXPECT_THAT(receive(broker, kept, 1), SizeIs(1));
}

TEST_F(RabbitRecipes, ResultsGoToTheirQueue) {
  apply("single-active-consumer.json");
  const std::string queue = "/amq/queue/membership-results";
  empty(queue);
  start_recorder("/exchange/membership-results/result", Milliseconds{20'000});
  EXPECT_EQ(core.answer(write_one()), true) << ear.all();
  EXPECT_THAT(receive(broker, queue, 1), SizeIs(1));
}

TEST_F(RabbitRecipes, TheWorkersUserNeedsNoMoreRightsThanItIsGiven) {
  apply("single-active-consumer.json");
  const std::string letters = "/amq/queue/membership-dead-letters";
  empty("/amq/queue/membership-changes");
  empty(letters);
  produce("/amq/queue/membership-changes", {"a"});
  start("/amq/queue/membership-changes", "narrow");
  ASSERT_TRUE(core.take_deliveries(1)) << ear.all();
  RecordSettings settings = record_settings("/exchange/membership-results/result");
  settings.connection.user = "narrow";
  settings.dead_letter_address = letters;
  AmqpRecorder writer(settings, "secret", "input", plain_text(), {}, core.inbox, ear.observer());
  ASSERT_TRUE(writer.start());
  Record record = core.record_of(core.deliveries, Verdict::rejected, Reason::member_date);
  const RecordId id = record.id;
  writer.record(std::move(record));
  EXPECT_EQ(core.answer(id), true) << ear.all();
  EXPECT_THAT(receive(broker, letters, 1), SizeIs(1));
  source->settle(core.settlement_of_all());
}

TEST_F(RabbitRecipes, AllChangesOfAKeyGoToOneWorkersQueue) {
  apply("queue-per-worker.json");
  const std::string queue = "/amq/queue/membership-changes-";
  for (const char* number : {"1", "2", "3"}) empty(queue + number);
  for (int key = 0; key < 30; ++key) {
    const std::string name = "membership-" + std::to_string(key);
    produce("/exchange/membership-changes/" + name, {name, name, name});
  }
  std::map<std::string, std::set<std::string>> queues_of;
  std::size_t messages = 0;
  for (const char* number : {"1", "2", "3"}) {
    const auto there = receive(broker, queue + number, 1000, 500ms);
    messages += there.size();
    EXPECT_FALSE(there.empty()) << number;
    for (const proton::message& message : there) queues_of[body_of(message)].insert(number);
  }
  EXPECT_EQ(messages, 90u);
  EXPECT_THAT(queues_of, SizeIs(30));
  for (const auto& [key, queues] : queues_of) EXPECT_THAT(queues, SizeIs(1)) << key;
}

}  // namespace
}  // namespace helsekontakter::amqp::test

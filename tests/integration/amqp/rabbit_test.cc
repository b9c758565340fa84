#include "tests/integration/amqp/amqp_fixture.h"
#include "worker/ordering/progress.h"

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

}  // namespace
}  // namespace helsekontakter::amqp::test

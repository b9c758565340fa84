#include "tests/integration/amqp/amqp_fixture.h"

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

TEST_F(Rabbit, SaysThatTheResultsExchangeIsMissing) {
  start_recorder("/exchange/" + unique_name("missing"), Milliseconds{1000});
  EXPECT_EQ(core.answer(write_one()), false);
  EXPECT_TRUE(ear.heard("there is no such")) << ear.all();
}

}  // namespace
}  // namespace helsekontakter::amqp::test

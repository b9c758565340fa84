#include "tests/integration/amqp/amqp_fixture.h"
#include "tests/integration/amqp/fake_broker.h"

#include <atomic>

#include <gmock/gmock.h>

// When a queue counts as drained. Where the broker's word is what is waited for, the silence that
// would do without it is longer than the test.

namespace helsekontakter::amqp::test {
namespace {

using ::testing::SizeIs;

class Draining : public RealAmqp {
 protected:
  void start(SourceSettings settings) {
    settings.drain = true;
    Observer observer = ear.observer();
    observer.drained = [this] { ++drained; };
    source = std::make_unique<AmqpSource>(settings, "secret", decode_plainly, core.inbox, observer);
    ASSERT_TRUE(source->start());
  }
  [[nodiscard]] bool is_drained(Clock::duration within = 15s) {
    return core.take_until([this] { return drained > 0; }, within);
  }
  /// Reads, settles, and is drained then and not before.
  void expect_drained_when_settled(std::size_t messages) {
    ASSERT_TRUE(core.take_deliveries(messages)) << ear.all();
    EXPECT_FALSE(is_drained(1500ms)) << "what came is not settled";
    source->settle(core.settlement_of_all());
    EXPECT_TRUE(is_drained()) << ear.all();
    EXPECT_FALSE(core.take_until([this] { return drained > 1; }, 1s)) << "it is said once";
    EXPECT_EQ(ear.troubles(), 0u) << ear.all();
    EXPECT_THAT(core.deliveries, SizeIs(messages));
  }

  std::atomic<int> drained{0};
  Ear ear;
  Core core;
  std::unique_ptr<AmqpSource> source;
};

TEST_F(Draining, EndsWhenAllThatCameIsSettledAndTheBrokerHasNothingMore) {
  const auto queue = make_queue();
  produce(queue, {"a", "b"});
  start(source_settings(queue));
  expect_drained_when_settled(2);
  source->stop();
  EXPECT_THAT(receive(broker, queue, 1, 500ms), SizeIs(0));
}

TEST_F(Draining, EndsAtOnceWithAnEmptyQueue) {
  start(source_settings(make_queue()));
  EXPECT_TRUE(is_drained()) << ear.all();
  EXPECT_EQ(ear.troubles(), 0u) << ear.all();
}

TEST_F(Draining, ReadsOnWhenMoreComesBeforeItIsStopped) {
  const auto queue = make_queue();
  start(source_settings(queue));
  ASSERT_TRUE(is_drained()) << ear.all();
  produce(queue, {"a"});
  // Artemis has used the credit up, as AMQP says; nothing more comes then, and nothing is lost.
  if (broker.is_rabbitmq) {
    EXPECT_TRUE(core.take_deliveries(1)) << ear.all();
  }
  source->stop();
  EXPECT_THAT(receive(broker, queue, 1), SizeIs(1));
}

TEST_F(Draining, DoesNotTrustTheAnswerAfterSomethingWasGivenBack) {
  const auto queue = make_queue();
  produce(queue, {"a"});
  SourceSettings settings = source_settings(queue);
  settings.drain_quiet = 4s;
  start(settings);
  ASSERT_TRUE(core.take_deliveries(1)) << ear.all();
  source->order({.reread = {Partition{0}}});
  ASSERT_TRUE(core.take_deliveries(2)) << ear.all();
  source->settle(core.settlement_of_all());
  EXPECT_FALSE(is_drained(2s));
  EXPECT_TRUE(is_drained()) << ear.all();
}

/// A broker that says what it is told to.
class DrainingAFake : public Draining {
 protected:
  [[nodiscard]] SourceSettings settings() const {
    return {.connection = {.urls = {fake.url()}}, .address = "queue"};
  }

  FakeBroker fake;
};

TEST_F(DrainingAFake, EndsAtTheBrokersWord) {
  start(settings());
  EXPECT_TRUE(is_drained()) << ear.all();
  EXPECT_EQ(fake.drains(), 1u);
}

TEST_F(DrainingAFake, GoesOnWhenMessagesComeBeforeTheAnswer) {
  fake.send_before_drained(3);
  start(settings());
  expect_drained_when_settled(3);
  EXPECT_EQ(fake.drains(), 2u);
}

TEST_F(DrainingAFake, TakesALongSilenceForTheEndWhenTheBrokerDoesNotAnswer) {
  fake.ignore_drains();
  SourceSettings settings = this->settings();
  settings.drain_unanswered = 3s;
  start(settings);
  EXPECT_FALSE(is_drained(2s));
  EXPECT_TRUE(is_drained()) << ear.all();
  EXPECT_EQ(fake.drains(), 1u);
}

/// RabbitMQ that works off tens of thousands of settlements sends nothing meanwhile, though its
/// queue is full.
TEST_F(DrainingAFake, DoesNotTakeTheSilenceOfABusyBrokerForTheEnd) {
  fake.ignore_drains();
  SourceSettings settings = this->settings();
  settings.drain_quiet = 500ms;
  start(settings);
  EXPECT_FALSE(is_drained(3s));
  EXPECT_EQ(fake.drains(), 1u);
}

/// RabbitMQ's kinds of queues, because it answers for each in its own way.
class DrainingRabbit : public Draining, public ::testing::WithParamInterface<std::string> {
 protected:
  [[nodiscard]] static std::string make_queue_of(const std::string& arguments) {
    const std::string name = unique_name("kind");
    rabbitmqctl("eval 'rabbit_amqqueue:declare({resource, <<\"/\">>, queue, <<\"" + name +
                "\">>}, true, false, [" + arguments + "], none, <<\"test\">>).'");
    return "/amq/queue/" + name;
  }
};

TEST_P(DrainingRabbit, EndsWhenAllThatCameIsSettledAndTheBrokerHasNothingMore) {
  const auto queue = make_queue_of(GetParam());
  produce(queue, {"a", "b", "c"});
  start(source_settings(queue));
  expect_drained_when_settled(3);
  source->stop();
  EXPECT_THAT(receive(broker, queue, 1, 500ms), SizeIs(0));
}

INSTANTIATE_TEST_SUITE_P(RabbitKinds, DrainingRabbit,
                         ::testing::Values("", R"({<<"x-queue-type">>, longstr, <<"quorum">>})",
                                           R"({<<"x-single-active-consumer">>, bool, true})",
                                           R"({<<"x-queue-type">>, longstr, <<"quorum">>},
                         {<<"x-single-active-consumer">>, bool, true})"),
                         [](const auto& each) {
                           const std::string kind = each.param.find("quorum") == std::string::npos
                                                        ? "classic"
                                                        : "quorum";
                           return each.param.find("single") == std::string::npos
                                      ? kind
                                      : kind + "_single_active";
                         });

}  // namespace
}  // namespace helsekontakter::amqp::test

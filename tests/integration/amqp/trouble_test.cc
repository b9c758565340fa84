#include "tests/integration/amqp/amqp_fixture.h"
#include "tests/integration/amqp/fake_broker.h"

#include <gmock/gmock.h>

// A broker that does what brokers seldom do.

namespace helsekontakter::amqp::test {
namespace {

using ::testing::HasSubstr;

Connection to(const FakeBroker& broker) {
  return {.urls = {broker.url()},
          .open_timeout = Milliseconds{500},
          .pause_first = Milliseconds{20},
          .pause_max = Milliseconds{100}};
}

class Refusing : public ::testing::Test {
 protected:
  void start(Milliseconds record_timeout = Milliseconds{20'000}, std::size_t unconfirmed = 2'000) {
    recorder = std::make_unique<AmqpRecorder>(RecordSettings{.connection = to(broker),
                                                             .address = "results",
                                                             .record_timeout = record_timeout,
                                                             .unconfirmed_max = unconfirmed,
                                                             .retry_first = Milliseconds{10},
                                                             .retry_max = Milliseconds{50}},
                                              "", "input", plain_text(), Steps{}, core.inbox,
                                              ear.observer());
    ASSERT_TRUE(recorder->start());
  }
  [[nodiscard]] std::optional<bool> write(int results) {
    std::vector<Delivery> deliveries;
    for (int i = 0; i < results; ++i) {
      Delivery delivery{.position = {Partition{0}, i}, .epoch = Epoch{1}};
      delivery.texts.append(Texts::Field::id, std::to_string(i));
      delivery.content =
          Change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
      deliveries.push_back(std::move(delivery));
    }
    Record record = core.record_of(deliveries);
    const RecordId id = record.id;
    recorder->record(std::move(record));
    return core.answer(id);
  }

  FakeBroker broker;
  Ear ear;
  Core core;
  std::unique_ptr<AmqpRecorder> recorder;
};

struct Refusal {
  std::string name;
  FakeBroker::Answer answer;
  std::string words;
};

class RefusedResults : public Refusing, public ::testing::WithParamInterface<Refusal> {};

TEST_P(RefusedResults, AreSentAgainUntilTheBrokerTakesThem) {
  broker.answer_next(7, GetParam().answer);
  start();
  EXPECT_EQ(write(5), true) << ear.all();
  EXPECT_EQ(broker.accepted(), 5u);
  EXPECT_EQ(broker.received(), 12u);
  EXPECT_THAT(ear.all(), HasSubstr(GetParam().words));
  EXPECT_EQ(ear.troubles(), 1u) << ear.all();
}

TEST_P(RefusedResults, FailTheirRecordWhenTheBrokerNeverTakesThem) {
  broker.answer_next(1'000'000, GetParam().answer);
  start(Milliseconds{500});
  EXPECT_EQ(write(5), false);
  EXPECT_TRUE(ear.heard("was not durable within 500 ms")) << ear.all();
}

INSTANTIATE_TEST_SUITE_P(
    Outcomes, RefusedResults,
    ::testing::Values(Refusal{"released", FakeBroker::Answer::release, "no queue takes it"},
                      Refusal{"rejected", FakeBroker::Answer::reject, "queue's limits"},
                      Refusal{"modified", FakeBroker::Answer::modify, "broker's log"},
                      Refusal{"settled_without_outcome", FakeBroker::Answer::settle_only,
                              "without saying what became of it"}),
    [](const auto& each) { return each.param.name; });

TEST_F(Refusing, LeavesNoMoreResultsUnconfirmedThanProtonMayKeep) {
  broker.grant(5000);
  broker.answer_next(500, FakeBroker::Answer::nothing);
  start(Milliseconds{1500}, 100);
  EXPECT_EQ(write(500), false);
  EXPECT_EQ(broker.received(), 100u);
}

TEST_F(Refusing, SendsOnAsResultsAreConfirmed) {
  broker.grant(5000);
  broker.answer_next(30, FakeBroker::Answer::release);
  start(Milliseconds{20'000}, 20);
  EXPECT_EQ(write(500), true) << ear.all();
  EXPECT_EQ(broker.accepted(), 500u);
}

TEST_F(Refusing, ARecordIsNotDurableWhileOneResultIsUnanswered) {
  broker.answer_next(1, FakeBroker::Answer::nothing);
  start(Milliseconds{500});
  EXPECT_EQ(write(5), false);
  EXPECT_EQ(broker.accepted(), 4u);
  EXPECT_TRUE(ear.heard("4 of 5 results confirmed")) << ear.all();
}

TEST_F(Refusing, ALateAnswerToAFailedRecordConfirmsNothingOfTheNext) {
  broker.answer_next(1, FakeBroker::Answer::nothing);
  start(Milliseconds{300});
  ASSERT_EQ(write(1), false);
  broker.answer_next(1, FakeBroker::Answer::nothing);
  EXPECT_EQ(write(1), false);
  EXPECT_EQ(write(1), true) << ear.all();
}

struct RefusedLink {
  std::string condition;
  std::string words;
};

class RefusedLinks : public Refusing, public ::testing::WithParamInterface<RefusedLink> {};

TEST_P(RefusedLinks, SayWhatToDoAndAreTriedAgain) {
  broker.refuse_links(GetParam().condition);
  AmqpSource source({.connection = to(broker), .address = "changes"}, "", decode_plainly,
                    core.inbox, ear.observer());
  ASSERT_TRUE(source.start());
  ASSERT_TRUE(core.take_until([&] { return broker.refused() >= 3; })) << ear.all();
  EXPECT_EQ(ear.troubles(), 1u) << "said once, however often it is tried";
  EXPECT_THAT(ear.all(), HasSubstr("reading from changes: " + GetParam().condition));
  EXPECT_THAT(ear.all(), HasSubstr(GetParam().words));
  EXPECT_TRUE(core.assigned.empty());
  broker.refuse_links("");
  EXPECT_TRUE(core.take_assigned()) << ear.all();
}

INSTANTIATE_TEST_SUITE_P(
    Conditions, RefusedLinks,
    ::testing::Values(RefusedLink{"amqp:not-found", "create it"},
                      RefusedLink{"amqp:unauthorized-access", "give this user the right"},
                      RefusedLink{"amqp:resource-deleted", "create it again"},
                      RefusedLink{"amqp:resource-locked", "another consumer"},
                      RefusedLink{"vendor:strange", "look at the broker's log"}),
    [](const auto& each) {
      std::string name = each.param.condition;
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

TEST_F(Refusing, ALinkThatIsNeverAnsweredIsGivenUp) {
  broker.ignore_links();
  AmqpSource source({.connection = to(broker), .address = "changes"}, "", decode_plainly,
                    core.inbox, ear.observer());
  ASSERT_TRUE(source.start());
  EXPECT_TRUE(core.take_until([&] {
    return ear.heard("did not answer within 500 ms when the worker attached");
  })) << ear.all();
}

}  // namespace
}  // namespace helsekontakter::amqp::test

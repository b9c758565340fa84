#include "adapters/amqp/connection_options.h"
#include "tests/integration/amqp/amqp_fixture.h"
#include "tests/integration/amqp/gate.h"

#include <cstdio>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <unistd.h>

// How the worker reaches a broker, and what it says when it does not.

namespace helsekontakter::amqp::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Short pauses and deadlines, so that trouble comes soon.
Connection quick(Connection connection) {
  connection.open_timeout = Milliseconds{1000};
  connection.idle_timeout = Milliseconds{1000};
  connection.pause_first = Milliseconds{20};
  connection.pause_max = Milliseconds{100};
  return connection;
}

class Connecting : public RealAmqp {
 protected:
  /// A source on an own queue, by this connection.
  void start(Connection connection, const crypto::Password& password = "secret") {
    start_as_is(quick(std::move(connection)), password);
  }
  void start_as_is(Connection connection, const crypto::Password& password) {
    SourceSettings settings{.connection = std::move(connection), .address = queue};
    source = std::make_unique<AmqpSource>(settings, password, decode_plainly, core.inbox,
                                          ear.observer());
    const auto started = source->start();
    EXPECT_TRUE(started) << started.error().message;
  }
  [[nodiscard]] bool hears(const std::string& words) {
    return core.take_until([&] { return ear.heard(words); }, 20s);
  }
  [[nodiscard]] Connection over_tls() const {
    return {.urls = {"amqps://" + broker.tls_host_and_port},
            .tls_ca_file = broker.tls_folder + "/ca.pem"};
  }
  void SetUp() override {
    RealAmqp::SetUp();
    queue = make_queue();
  }

  std::string queue;
  Ear ear;
  Core core;
  std::unique_ptr<AmqpSource> source;
};

TEST_F(Connecting, ComesBackAfterACutAndReadsAgainWhatWasNotSettled) {
  Gate gate(broker.host_and_port);
  Connection connection = this->connection();
  connection.urls = {gate.url()};
  produce(queue, {"a", "b", "c"});
  start(connection);
  ASSERT_TRUE(core.take_deliveries(3)) << ear.all();
  const Epoch before = core.assigned.back().epoch;
  core.deliveries.clear();
  gate.cut();
  ASSERT_TRUE(core.take_deliveries(3)) << ear.all();
  ASSERT_THAT(core.lost, testing::Not(testing::IsEmpty()));
  EXPECT_EQ(core.lost.back().epoch, before);
  EXPECT_GT(core.deliveries[0].epoch, before);
  EXPECT_TRUE(ear.heard("connection"));
}

TEST_F(Connecting, SaysOnceThatNobodyIsThereHoweverOftenItTries) {
  start({.urls = {"amqp://127.0.0.1:1"}, .user = "worker"});
  ASSERT_TRUE(hears("check that the broker runs")) << ear.all();
  EXPECT_FALSE(core.take_until([&] { return ear.troubles() > 1; }, 1s)) << ear.all();
}

TEST_F(Connecting, TakesASilentBrokerForLost) {
  Gate gate(broker.host_and_port);
  Connection connection = this->connection();
  connection.urls = {gate.url(), broker.url()};
  start(connection);
  ASSERT_TRUE(core.take_assigned()) << ear.all();
  gate.fall_silent();
  ASSERT_TRUE(core.take_assigned(2)) << ear.all();
  EXPECT_TRUE(ear.heard("silent for too long")) << ear.all();
}

TEST_F(Connecting, GivesUpOnAListenerThatNeverAnswersAndTriesTheNextHost) {
  Gate dead("");
  Connection connection = this->connection();
  connection.urls = {dead.url(), broker.url()};
  start(connection);
  ASSERT_TRUE(core.take_assigned()) << ear.all();
  EXPECT_TRUE(ear.heard("did not answer within 1000 ms")) << ear.all();
  EXPECT_EQ(dead.connections(), 1u);
}

TEST_F(Connecting, TriesTheNextHostWhenOneIsDown) {
  std::string closed;
  {
    Gate gate("");
    closed = gate.url();
  }
  Connection connection = this->connection();
  connection.urls = {closed, broker.url()};
  start(connection);
  ASSERT_TRUE(core.take_assigned()) << ear.all();
  EXPECT_TRUE(ear.heard("check that the broker runs")) << ear.all();
}

TEST_F(Connecting, StopsThoughTheBrokerNeverAnswers) {
  Gate dead("");
  Connection connection = this->connection();
  connection.urls = {dead.url()};
  start(connection);
  ASSERT_TRUE(core.take_until([&] { return dead.connections() > 0; }));
  const auto stopped = std::async(std::launch::async, [&] { source->stop(); });
  ASSERT_EQ(stopped.wait_for(60s), std::future_status::ready) << "it waits for the broker's word";
}

TEST_F(Connecting, SaysThatThePasswordIsWrong) {
  // RabbitMQ waits for three seconds before it says no.
  start_as_is(connection(), "wrong");
  EXPECT_TRUE(hears("check user, password_file")) << ear.all();
  EXPECT_FALSE(ear.heard("wrong")) << ear.all();
}

TEST_F(Connecting, TriesAgainWithAPasswordThatWasRotated) {
  const std::string path = ::testing::TempDir() + "amqp-password-" + std::to_string(::getpid());
  std::ofstream(path) << "old";
  produce(queue, {"a"});
  start_as_is(connection(), *crypto::Password::of_file(path, crypto::ModeCheck::off));
  ASSERT_TRUE(hears("check user, password_file")) << ear.all();
  std::ofstream(path) << "secret";
  EXPECT_TRUE(core.take_deliveries(1)) << ear.all();
  std::remove(path.c_str());
}

TEST_F(Connecting, SpeaksTlsWithAPassword) {
  Connection connection = over_tls();
  connection.user = "worker";
  produce(queue, {"a"});
  start(connection);
  EXPECT_TRUE(core.take_deliveries(1)) << ear.all();
}

TEST_F(Connecting, SpeaksTlsWithACertificateAlone) {
  Connection connection = over_tls();
  connection.tls_certificate_file = broker.tls_folder + "/client.pem";
  connection.tls_key_file = broker.tls_folder + "/client-key.pem";
  produce(queue, {"a"});
  start(connection, "");
  EXPECT_TRUE(core.take_deliveries(1)) << ear.all();
}

TEST_F(Connecting, RefusesABrokerWhoseAuthorityItDoesNotKnow) {
  Connection connection = over_tls();
  connection.user = "worker";
  connection.tls_ca_file.clear();
  start(connection);
  EXPECT_TRUE(hears("check tls_ca_file")) << ear.all();
  EXPECT_THAT(core.assigned, SizeIs(0));
}

TEST_F(Connecting, RefusesABrokerOfAnotherName) {
  Connection connection = over_tls();
  connection.user = "worker";
  connection.virtual_host = "other.example";
  start(connection);
  EXPECT_TRUE(hears("check tls_ca_file")) << ear.all();
  EXPECT_THAT(core.assigned, SizeIs(0));
}

struct Refused {
  std::string name;
  Connection connection;
  std::string words;
};

class Checking : public ::testing::TestWithParam<Refused> {};

TEST_P(Checking, RefusesWhatCannotWorkBeforeItStarts) {
  const auto fine = check(GetParam().connection);
  ASSERT_FALSE(fine);
  EXPECT_EQ(fine.error().remedy, Remedy::stop);
  EXPECT_THAT(fine.error().message, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Settings, Checking,
    ::testing::Values(
        Refused{"no_broker", {}, "at least one"},
        Refused{"plain_text_over_a_network",
                {.urls = {"amqp://broker.example"}, .user = "worker"},
                "must be amqps"},
        Refused{"nobody_over_a_network", {.urls = {"amqps://broker.example"}}, "needs user"},
        Refused{"password_in_the_url", {.urls = {"amqps://a:b@broker"}, .user = "a"}, "must read"},
        Refused{"another_protocol", {.urls = {"http://127.0.0.1"}}, "must read"},
        Refused{"a_path", {.urls = {"amqp://127.0.0.1/queue"}}, "must read"},
        Refused{"half_a_certificate",
                {.urls = {"amqps://broker"}, .tls_certificate_file = "a.pem"},
                "go together"},
        Refused{"a_certificate_that_is_not_there",
                {.urls = {"amqps://broker"}, .user = "worker", .tls_ca_file = "/nowhere.pem"},
                "tls_ca_file"}),
    [](const auto& each) { return each.param.name; });

TEST(Endpoints, AreReadWithAndWithoutAPort) {
  const auto plain = parse_endpoint("amqps://broker.example");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->text(), "broker.example:5671");
  EXPECT_TRUE(plain->tls);
  const auto v6 = parse_endpoint("amqp://[::1]:5673");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, "5673");
  EXPECT_TRUE(v6->loopback);
}

}  // namespace
}  // namespace helsekontakter::amqp::test

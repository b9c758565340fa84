#include "tests/contract/ports/real_ports.h"
#include "tests/integration/amqp/broker.h"
#include "tests/integration/kafka/kafka_fixture.h"
#include "tests/unit/file/folder.h"

#include <utility>

// The contract of the source and record ports for Kafka, AMQP and both mixtures of them, on the
// brokers that tests/run.sh passes.

namespace helsekontakter {
namespace {

constexpr const char* source_uri = "/helsekontakter/test";
constexpr const char* environment = "TEST1";

/// The tools of the Kafka tests outside of a test of theirs.
class KafkaTools : public kafka::test::RealKafka {
 public:
  KafkaTools() { SetUp(); }
  void TestBody() override {}
  using RealKafka::make_topic;
  using RealKafka::produce;
  using RealKafka::read_committed;
  using RealKafka::record_settings;
  using RealKafka::source_settings;

  [[nodiscard]] std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> texts;
    for (kafka::test::Seen& seen : read_committed(topic)) texts.push_back(std::move(seen.value));
    return texts;
  }
};

/// An AMQP broker and how a worker speaks to it.
struct AmqpSide {
  AmqpSide() { folder.write("password", "secret"); }
  [[nodiscard]] amqp::Connection connection() const {
    return {.urls = {broker.url()}, .user = "worker", .password_file = folder.path("password")};
  }
  const amqp::test::Broker broker = amqp::test::Broker::from_environment();
  const file::Folder folder;
};

/// An AMQP queue that only this test reads; what was read is kept.
class Queue {
 public:
  explicit Queue(const amqp::test::Broker& broker)
      : broker_(broker), address_(broker.address(amqp::test::unique_name("ports"))) {}

  [[nodiscard]] const std::string& address() const { return address_; }
  void put(const std::vector<std::string>& bodies) const {
    std::vector<proton::message> messages;
    for (const std::string& body : bodies) messages.push_back(amqp::test::data_message(body));
    ASSERT_TRUE(amqp::test::send(broker_, address_, messages));
  }
  [[nodiscard]] std::vector<std::string> take_all() {
    for (const auto& message : amqp::test::receive(broker_, address_, messages_max, 500ms)) {
      taken_.push_back(amqp::test::body_of(message));
    }
    return taken_;
  }

 private:
  static constexpr std::size_t messages_max = 10'000;  // more than there are

  const amqp::test::Broker& broker_;
  const std::string address_;
  std::vector<std::string> taken_;
};

// ---- where changes come from

class FromKafka {
 public:
  FromKafka() : topic_(tools_.make_topic(1)) {}
  void put(const std::vector<std::string>& names) {
    std::vector<kafka::test::Sent> messages;
    for (const std::string& name : names) messages.push_back({.value = name, .key = name});
    tools_.produce(topic_, messages);
  }
  void configure(config::Configuration& configuration) const {
    configuration.source = tools_.source_settings(topic_);
  }

 private:
  KafkaTools tools_;
  const std::string topic_;
};

class FromAmqp {
 public:
  void put(const std::vector<std::string>& names) const { queue_.put(names); }
  void configure(config::Configuration& configuration) const {
    configuration.source_technology = config::Technology::amqp;
    configuration.amqp_source = {.connection = side_.connection(), .address = queue_.address()};
  }

 private:
  const AmqpSide side_;
  const Queue queue_{side_.broker};
};

// ---- where results go

class IntoKafka {
 public:
  IntoKafka() : results_(tools_.make_topic(1)), letters_(tools_.make_topic(1)) {}
  [[nodiscard]] std::vector<std::string> results() { return tools_.values(results_); }
  [[nodiscard]] std::vector<std::string> dead_letters() { return tools_.values(letters_); }
  void configure(config::Configuration& configuration) const {
    configuration.record = tools_.record_settings(results_, letters_);
  }

 private:
  KafkaTools tools_;
  const std::string results_;
  const std::string letters_;
};

class IntoAmqp {
 public:
  [[nodiscard]] std::vector<std::string> results() { return results_.take_all(); }
  [[nodiscard]] std::vector<std::string> dead_letters() { return letters_.take_all(); }
  void configure(config::Configuration& configuration) const {
    configuration.results_technology = config::Technology::amqp;
    configuration.record.source = source_uri;
    configuration.record.environment = environment;
    // Offsets of a Kafka source are committed there.
    configuration.record.connection = kafka_.record_settings({}).connection;
    configuration.record.transactional_id = amqp::test::unique_name("ports");
    configuration.amqp_results = {.connection = side_.connection(),
                                  .address = results_.address(),
                                  .dead_letter_address = letters_.address()};
  }

 private:
  const KafkaTools kafka_;
  const AmqpSide side_;
  Queue results_{side_.broker};
  Queue letters_{side_.broker};
};

template <class From, class Into>
class BrokerPorts : public RealPorts {
 public:
  ~BrokerPorts() override { die(); }
  void put(const std::vector<std::string>& names) override { from_.put(names); }
  std::vector<SeenResult> results() override { return read_results(into_.results()); }
  std::vector<std::string> dead_letters() override { return into_.dead_letters(); }

 private:
  [[nodiscard]] Result<cli::Parts> make_parts(cli::Decode decode, Inbox& inbox) override {
    config::Configuration configuration;
    into_.configure(configuration);
    from_.configure(configuration);
    kafka::Observer kafka_observer;
    kafka_observer.trouble = [this](const Error& error) { note_trouble(error); };
    amqp::Observer observer;
    observer.trouble = kafka_observer.trouble;
    if constexpr (std::is_same_v<From, FromAmqp>) {
      return cli::make_amqp_parts(configuration, {}, false, std::move(decode), inbox, observer,
                                  kafka_observer);
    } else if constexpr (std::is_same_v<Into, IntoAmqp>) {
      return cli::make_kafka_to_amqp_parts(configuration, {}, std::move(decode), inbox,
                                           kafka_observer, observer);
    } else {
      return cli::make_kafka_parts(configuration, {}, std::move(decode), inbox, kafka_observer);
    }
  }

  From from_;
  Into into_;
};

template <class From, class Into>
KindOfPorts kind(std::string name, bool fences) {
  return {.name = std::move(name),
          .make = [] { return std::make_unique<BrokerPorts<From, Into>>(); },
          .fences = fences};
}

std::string name_of_kind(const ::testing::TestParamInfo<KindOfPorts>& info) {
  return info.param.name;
}

const auto kafka_alone = ::testing::Values(kind<FromKafka, IntoKafka>("Kafka", true));
const auto with_amqp = ::testing::Values(kind<FromAmqp, IntoAmqp>("Amqp", false),
                                         kind<FromKafka, IntoAmqp>("KafkaToAmqp", false),
                                         kind<FromAmqp, IntoKafka>("AmqpToKafka", false));

INSTANTIATE_TEST_SUITE_P(Kafka, PortsContract, kafka_alone, name_of_kind);
INSTANTIATE_TEST_SUITE_P(Kafka, DeadLetterContract, kafka_alone, name_of_kind);
INSTANTIATE_TEST_SUITE_P(Amqp, PortsContract, with_amqp, name_of_kind);
INSTANTIATE_TEST_SUITE_P(Amqp, DeadLetterContract, with_amqp, name_of_kind);

}  // namespace
}  // namespace helsekontakter

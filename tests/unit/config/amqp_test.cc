#include "adapters/cli/check.h"
#include "tests/unit/config/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Queues as source and results, and beside Kafka.

namespace helsekontakter::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view queue_in =
    "{amqp: {url: [amqps://b-1, amqps://b-2], address: in, user: worker, password_file: /p}}";
constexpr std::string_view topic_in = "{kafka: {brokers: [k:9092], topic: in, group: g}}";
constexpr std::string_view queue_out = "{amqp: {address: out}}";
constexpr std::string_view other_out =
    "{amqp: {url: [amqps://c], address: out, user: u, password_file: /q}}";
constexpr std::string_view topic_out = "{kafka: {brokers: [k:9092], topic: out}}";

std::string from_to(std::string_view source, std::string_view results, std::string_view more = {}) {
  return "environment: TEST1\nsource: " + std::string(source) +
         "\nresults: " + std::string(results) + "\nledger: {" +
         (source.starts_with("{kafka") ? "kafka: {topic: l, shared_topic: s}"
                                       : "sqlite: {path: l.db}") +
         ", hmac_key_file: /k, sealing_key_files: [/s]}\norganizations: {\"948554062\": {}}\n"
         "auth: {client_id: c, jwk_file: /j}\n" +
         std::string(more) + "\n";
}

TEST(Queues, ReadAndWriteAtOneBrokerUnlessSaid) {
  const Configuration c = loaded(from_to(queue_in, queue_out));
  EXPECT_EQ(c.source_technology, Technology::amqp);
  EXPECT_EQ(c.results_technology, Technology::amqp);
  EXPECT_THAT(c.amqp_results.connection.urls, ElementsAre("amqps://b-1", "amqps://b-2"));
  EXPECT_EQ(c.amqp_results.connection.user, "worker");
  EXPECT_EQ(c.amqp_results.address, "out");
  EXPECT_FALSE(c.decoder.keep_payload);
  EXPECT_THAT(c.warnings, IsEmpty());
}

TEST(Queues, PackResultsAsOneTextUnlessSaid) {
  EXPECT_EQ(loaded(from_to(queue_in, queue_out)).amqp_results.mode, amqp::EventMode::structured);
  EXPECT_EQ(loaded(from_to(queue_in, "{amqp: {address: out, mode: binary}}")).amqp_results.mode,
            amqp::EventMode::binary);
}

TEST(Queues, KeepEventsWholeOnlyForDeadLetters) {
  EXPECT_TRUE(loaded(from_to(queue_in, "{amqp: {address: out, dead_letter_address: dead}}"))
                  .decoder.keep_payload);
}

TEST(Queues, TakeAShareOfTheMemory) {
  EXPECT_EQ(loaded(from_to(queue_in, queue_out)).amqp_source.bytes_max,
            amqp::SourceSettings{}.bytes_max);
  EXPECT_EQ(
      loaded(from_to(queue_in, queue_out, "memory: {bytes_max: 67108864}")).amqp_source.bytes_max,
      4u << 20);
}

TEST(Queues, LetSoMuchBeOpenAsIsInFlightAndSome) {
  const Configuration few = loaded(from_to(queue_in, queue_out));
  EXPECT_EQ(few.amqp_source.unsettled_max, 5'000u);
  EXPECT_EQ(few.worker.unsettled_max, 5'000u) << "the core knows when its source waits";
  const Configuration many =
      loaded(from_to(queue_in, queue_out, "api: {in_flight_max: 16}\nbatch: {entries_max: 1000}"));
  EXPECT_EQ(many.amqp_source.unsettled_max, 20'000u);
  EXPECT_EQ(many.worker.unsettled_max, 20'000u);
  EXPECT_TRUE(many.worker.foretells) << "and that it comes back in any order";
  const WorkerSettings topic = loaded(from_to(topic_in, other_out)).worker;
  EXPECT_EQ(topic.unsettled_max, 0u) << "a topic never waits";
  EXPECT_FALSE(topic.foretells);
}

template <class Parameter>
std::string name_of_it(const ::testing::TestParamInfo<Parameter>& about) {
  return about.param.name;
}

struct Promise {
  const char* name;
  std::string_view source;
  std::string_view results;
  const char* guarantee;
};

class Guarantees : public ::testing::TestWithParam<Promise> {};

TEST_P(Guarantees, IsSaidOfEachMixture) {
  const Configuration c = loaded(from_to(GetParam().source, GetParam().results));
  EXPECT_THAT(cli::delivery_guarantee(c), AllOf(HasSubstr(GetParam().guarantee)));
}

INSTANTIATE_TEST_SUITE_P(
    Mixtures, Guarantees,
    ::testing::Values(Promise{"amqp_to_amqp", queue_in, queue_out, "AMQP to AMQP: at least once"},
                      Promise{"amqp_to_other_amqp", queue_in, other_out,
                              "AMQP to AMQP: at least once"},
                      Promise{"kafka_to_amqp", topic_in, other_out, "Kafka to AMQP: at least once"},
                      Promise{"amqp_to_kafka", queue_in, topic_out, "AMQP to Kafka: at least once"},
                      Promise{"kafka_to_kafka", topic_in, topic_out, "one transaction"}),
    name_of_it<Promise>);

TEST(Order, OfAQueueIsLeftToTheOperatorAndSaid) {
  EXPECT_THAT(cli::order_guarantee(loaded(from_to(queue_in, queue_out))),
              AllOf(HasSubstr("one consumer at a time reads in"), HasSubstr("consistent hash")));
  EXPECT_EQ(cli::order_guarantee(loaded(from_to(topic_in, other_out))), "");
}

struct Wrong {
  const char* name;
  std::string yaml;
  const char* key;
  const char* words;
};

class QueuesRefused : public ::testing::TestWithParam<Wrong> {};

TEST_P(QueuesRefused, WithOneSentence) {
  const auto faults = faults_of(GetParam().yaml);
  ASSERT_EQ(faults.size(), 1u) << errors_of(GetParam().yaml);
  EXPECT_EQ(faults.front().key, GetParam().key);
  EXPECT_THAT(faults.front().message, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Combinations, QueuesRefused,
    ::testing::Values(
        Wrong{"no_broker_of_results", from_to(topic_in, queue_out), "results.amqp.url",
              "without source.amqp it has no default"},
        Wrong{"no_brokers_of_results", from_to(queue_in, "{kafka: {topic: out}}"),
              "results.kafka.brokers", "with source.amqp it has no default"},
        Wrong{"no_address", from_to("{amqp: {url: [amqp://localhost]}}", queue_out),
              "source.amqp.address", "is missing"},
        Wrong{"in_the_clear", from_to("{amqp: {url: [amqp://b], address: in}}", queue_out),
              "source.amqp.url", "must be amqps://"},
        Wrong{"nobody", from_to("{amqp: {url: [amqps://b], address: in}}", queue_out),
              "source.amqp.url", "needs user and password_file"},
        Wrong{"password_in_the_url",
              from_to("{amqp: {url: ['amqps://u:pw@b'], address: in}}", queue_out),
              "source.amqp.url", "keys of their own"},
        Wrong{"results_into_the_input", from_to(queue_in, "{amqp: {address: in}}"),
              "results.amqp.address", "the same address as source.amqp.address"},
        Wrong{"dead_letters_among_results",
              from_to(queue_in, "{amqp: {address: out, dead_letter_address: out}}"),
              "results.amqp.dead_letter_address", "the same address as results.amqp.address"},
        Wrong{"version_of_a_broker", from_to(queue_in, queue_out, "version: {from: broker}"),
              "version.from", "counted anew by each worker"},
        Wrong{"number_in_the_address",
              from_to("{amqp: {url: [amqp://localhost], address: q-21814497167}}", queue_out),
              "source.amqp.address", "holds an identity number"},
        Wrong{"ledger_of_kafka",
              "environment: TEST1\nsource: " + std::string(queue_in) +
                  "\nresults: {amqp: {address: out}}\nledger: {kafka: {topic: l, shared_topic: s}, "
                  "hmac_key_file: /k, sealing_key_files: [/s]}\norganizations: {\"948554062\": "
                  "{}}\nauth: {client_id: c, jwk_file: /j}\n",
              "ledger.kafka", "with source.amqp say ledger.sqlite"},
        Wrong{"files_into_queues", from_to("{file: {path: f}}", other_out), "results.amqp",
              "not in this release"},
        Wrong{"queues_into_files", from_to(queue_in, "{file: {path: f}}"), "results.file",
              "not in this release"}),
    name_of_it<Wrong>);

TEST(Queues, MayBeSpokenToInTheClearOnThisMachine) {
  EXPECT_THAT(
      errors_of(from_to("{amqp: {url: ['amqp://127.0.0.1:5672'], address: in}}", queue_out)),
      IsEmpty());
}

}  // namespace
}  // namespace helsekontakter::config

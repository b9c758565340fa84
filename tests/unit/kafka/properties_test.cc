#include "adapters/kafka/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OwnedPropertyTest : public ::testing::TestWithParam<const char*> {};

TEST_P(OwnedPropertyTest, IsRefusedByNameWithTheReason) {
  Connection connection{.brokers = {"k:9092"}, .properties = {{GetParam(), "1"}}};
  const auto errors = refused_properties(connection);
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(errors[0].remedy, Remedy::stop);
  EXPECT_THAT(errors[0].message, HasSubstr(GetParam()));
  EXPECT_THAT(errors[0].message, HasSubstr("belongs to the worker: "));
}

INSTANTIATE_TEST_SUITE_P(All, OwnedPropertyTest,
                         ::testing::Values("auto.offset.reset", "enable.auto.commit", "group.id",
                                           "isolation.level", "session.timeout.ms", "sasl.password",
                                           "transactional.id", "queued.max.messages.kbytes",
                                           "partition.assignment.strategy", "retry.backoff.ms",
                                           "topic.metadata.refresh.interval.ms"));

TEST(Properties, OfTheOperatorPassWhenLibrdkafkaKnowsThem) {
  EXPECT_THAT(refused_properties({.properties = {{"socket.timeout.ms", "30000"}}}), IsEmpty());
  const auto errors = refused_properties({.properties = {{"sokket.timeout.ms", "30000"}}});
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].message, HasSubstr("sokket.timeout.ms"));
}

TEST(Properties, AreRefusedAllAtOnce) {
  EXPECT_THAT(refused_properties({.properties = {{"group.id", "g"}, {"acks", "1"}, {"x", "y"}}}),
              SizeIs(3));
}

TEST(Properties, OfSaslBelongToTheWorkerWhileAUserIsSet) {
  const std::map<std::string, std::string> own{{"sasl.mechanisms", "PLAIN"}};
  EXPECT_THAT(refused_properties({.properties = own}), IsEmpty());
  EXPECT_THAT(refused_properties({.user = "worker", .properties = own}), SizeIs(1));
}

TEST(Connection, WithAUserIsScramOverTls) {
  const auto properties =
      connection_properties({.brokers = {"a:1", "b:2"}, .user = "worker"}, "secret");
  EXPECT_EQ(properties.at("bootstrap.servers"), "a:1,b:2");
  EXPECT_EQ(properties.at("security.protocol"), "SASL_SSL");
  EXPECT_EQ(properties.at("sasl.mechanisms"), "SCRAM-SHA-512");
  EXPECT_EQ(properties.at("sasl.password"), "secret");
}

TEST(Connection, WithACertificateAuthorityAloneIsTls) {
  const auto properties = connection_properties({.brokers = {"a:1"}, .tls_ca_file = "ca.pem"}, "");
  EXPECT_EQ(properties.at("security.protocol"), "SSL");
  EXPECT_EQ(properties.at("ssl.ca.location"), "ca.pem");
}

struct FetchCase {
  std::size_t bytes_max;
  std::int32_t partitions;
};
class FetchTest : public ::testing::TestWithParam<FetchCase> {};

TEST_P(FetchTest, KeepsAllQueuesWithinTheirBudget) {
  const auto [bytes_max, partitions] = GetParam();
  const auto properties = consumer_properties({.fetch_bytes_max = bytes_max}, "", partitions);
  const std::size_t queue = std::stoul(properties.at("queued.max.messages.kbytes")) * 1024;
  const std::size_t fetch = std::stoul(properties.at("fetch.message.max.bytes"));
  const std::size_t beside = std::stoul(properties.at("queued.min.messages")) * 350;
  EXPECT_LE((queue + beside + fetch) * static_cast<std::size_t>(partitions), bytes_max);
  const std::size_t share = bytes_max / static_cast<std::size_t>(partitions);
  EXPECT_GE(queue, std::min<std::size_t>(share, 256 << 10) / 3);
  EXPECT_GE(beside, std::min<std::size_t>(share, 256 << 10) / 3);
}

INSTANTIATE_TEST_SUITE_P(Budgets, FetchTest,
                         ::testing::Values(FetchCase{67'108'864, 1}, FetchCase{67'108'864, 12},
                                           FetchCase{67'108'864, 500}, FetchCase{16'777'216, 100}));

TEST(ConsumerProperties, ReadNoFurtherAheadThanIsUsefulWhateverTheBudget) {
  const auto properties = consumer_properties({.fetch_bytes_max = 1 << 30}, "", 8);
  const std::size_t queue = std::stoul(properties.at("queued.max.messages.kbytes")) * 1024;
  const std::size_t beside = std::stoul(properties.at("queued.min.messages")) * 350;
  EXPECT_LE((queue + beside) * 8, 16u << 20);
}

TEST(ProducerProperties, KeepBatchesWithinTheSmallerTopicAndMessagesWithinTheLarger) {
  const auto properties = producer_properties(
      {}, "", {.results_bytes_max = 50'000, .dead_letter_bytes_max = 2'000'000});
  EXPECT_EQ(properties.at("batch.size"), "50000");
  EXPECT_EQ(properties.at("message.max.bytes"), "2000000");
}

TEST(ProducerProperties, LetTheLargestDeadLetterIntoTheQueue) {
  const auto properties = producer_properties(
      {}, "", {.results_bytes_max = 1'000'000, .dead_letter_bytes_max = 64'000'000});
  EXPECT_GT(std::stoul(properties.at("queue.buffering.max.kbytes")) * 1024, 64'000'000u);
}

}  // namespace
}  // namespace helsekontakter::kafka

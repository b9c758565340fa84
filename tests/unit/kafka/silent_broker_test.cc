#include "adapters/kafka/ask_until.h"
#include "adapters/kafka/ledger_restore.h"
#include "adapters/kafka/topic_log.h"
#include "tests/contract/ledger/formats.h"

#include <chrono>
#include <future>
#include <stop_token>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

// A broker that says what there is, and never where it ends. That a test ends is what it proves;
// the deadline is ctest's.

namespace helsekontakter::kafka {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::int16_t list_offsets = 2;
constexpr int for_ever_ms = 3'600'000;
constexpr int times = 100;

/// librdkafka's mock cluster with one topic. Small control flow only (design.md, section 11).
class SilentBroker : public ::testing::Test {
 protected:
  void SetUp() override {
    auto client = make_client(RD_KAFKA_PRODUCER, {{"test.mock.num.brokers", "1"}}, 0, {});
    ASSERT_TRUE(client) << client.error().message;
    client_ = std::move(*client);
    auto* cluster = rd_kafka_handle_mock_cluster(client_->get());
    ASSERT_NE(cluster, nullptr);
    ASSERT_EQ(rd_kafka_mock_topic_create(cluster, topic, 2, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(rd_kafka_mock_broker_push_request_error_rtts(
                    cluster, 1, list_offsets, 1, RD_KAFKA_RESP_ERR_NO_ERROR, for_ever_ms),
                RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    reading_.connection.brokers = {rd_kafka_mock_cluster_bootstraps(cluster)};
    reading_.topic = topic;
    reading_.group = "group";
    reading_.quiet_max = Milliseconds{500};
  }

  static LedgerTables from_beginning() {
    LedgerTables tables;
    tables[Partition{0}];
    return tables;
  }

  static constexpr const char* topic = "ledger";
  SharedClient client_;
  LedgerReading reading_;
};

TEST_F(SilentBroker, DoesNotKeepTheLedgersRestorationForEver) {
  const auto restored =
      restore_ledger(reading_, *ledger::format_of(1, 2), from_beginning(), {}, {});
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().remedy, Remedy::retry);
  EXPECT_THAT(restored.error().message, HasSubstr("check that they are up"));
  EXPECT_THAT(restored.error().message, HasSubstr(topic));
}

TEST_F(SilentBroker, DoesNotKeepAStopFromTheLedgersRestoration) {
  reading_.quiet_max = Milliseconds{for_ever_ms};
  std::stop_source stop;
  auto restored = std::async(std::launch::async, [&] {
    return restore_ledger(reading_, *ledger::format_of(1, 2), from_beginning(), stop.get_token(),
                          {});
  });
  stop.request_stop();
  EXPECT_FALSE(restored.get());
}

TEST_F(SilentBroker, DoesNotKeepTheOtherQuestionsForEver) {
  EXPECT_FALSE(with_ledger_records(reading_, {Partition{0}}, {}));
  EXPECT_FALSE(read_ledger_ends(reading_, {Partition{0}, Partition{1}}, {}));
  const auto log = TopicLog::open({.connection = reading_.connection,
                                   .password = "",
                                   .topic = topic,
                                   .group = "group",
                                   .quiet_max = Milliseconds{500}},
                                  {});
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_FALSE(log->bounds());
}

TEST(AskUntil, GivesTheAnswerThatComesInTime) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  const auto answer = ask_until<int>(deadline, {}, {}, [] { return Result<int>(7); });
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, 7);
}

}  // namespace
}  // namespace helsekontakter::kafka

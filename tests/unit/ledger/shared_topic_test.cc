#include "adapters/kafka/ledger_topic.h"
#include "adapters/kafka/shared_topic_format.h"
#include "adapters/kafka/shared_topic_reader.h"
#include "tests/unit/ledger/samples.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace helsekontakter::kafka {
namespace {

using ledger::samples::at;
using ledger::samples::key;
using ledger::samples::organization;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

struct FactCase {
  std::string key;
  SharedFact fact;
};

std::vector<FactCase> facts() {
  const MemberKey offering = key(4);
  return {
      {"offering/" + offering.hex(),
       SharedOffering{offering, organization(), Partition{0}, 7, true, false, 0}},
      {"offering/" + offering.hex(),
       SharedOffering{offering, organization(), Partition{11}, 8, false, true, ~0ULL}},
      {"hold/operator/948554062", SharedHold{organization(), true, true, at(5s), "maintenance"}},
      {"hold/worker/948554062", SharedHold{organization(), false, false, at(6s), ""}},
      {"hold/worker/endpoint", SharedHold{{}, false, true, at(7s), "503 everywhere", 300}},
      {"brake/948554062", SharedBrake{organization(), true, at(8s)}},
      {"brake/source", SharedBrake{{}, false, at(9s)}},
      {"retry-after", SharedRetryAfter{at(10s)}},
      {"retry-now/948554062", SharedRetryNow{organization(), at(11s)}},
      {"retry-now/all", SharedRetryNow{{}, at(12s)}},
  };
}

class EachSharedFact : public ::testing::TestWithParam<FactCase> {};

TEST_P(EachSharedFact, ComesBackUnderAKeyThatAPersonCanRead) {
  const SharedRecord record = encode_shared(GetParam().fact);
  EXPECT_EQ(record.key, GetParam().key);
  const auto content = decode_shared(record.key, record.value);
  ASSERT_TRUE(content) << content.error().message;
  ASSERT_TRUE(*content);
  EXPECT_EQ(std::get<SharedFact>(**content), GetParam().fact);
}

TEST_P(EachSharedFact, IsRefusedWhenItIsCutOrLengthened) {
  const SharedRecord record = encode_shared(GetParam().fact);
  for (std::size_t size = 1; size < record.value.size(); ++size) {
    EXPECT_FALSE(decode_shared(record.key, record.value.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_shared(record.key, record.value + "x"));
}

TEST_P(EachSharedFact, IsRefusedInANewerFormat) {
  SharedRecord record = encode_shared(GetParam().fact);
  record.value[0] = 2;
  const auto content = decode_shared(record.key, record.value);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().remedy, Remedy::stop);
  EXPECT_THAT(content.error().message, HasSubstr("run the newer release again"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, EachSharedFact, ::testing::ValuesIn(facts()));

TEST(SharedRecord, OfAnUnknownKindOrDeletedIsPassedOver) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"a kind of the next release/1", "\x01whatever"}, {"brake/948554062", ""}, {"", ""}}) {
    const auto content = decode_shared(name, value);
    ASSERT_TRUE(content) << name;
    EXPECT_FALSE(*content) << name;
  }
}

TEST(SharedRecord, UnderTheKeyOfAnotherSubjectIsRefused) {
  const SharedRecord record = encode_shared(SharedBrake{organization(), true, at(8s)});
  EXPECT_FALSE(decode_shared("brake/source", record.value));
  EXPECT_FALSE(decode_shared("hold/worker/948554062", record.value));
}

TEST(SharedRecord, KeepsAReasonShortWithoutCuttingACharacter) {
  const std::string words = std::string(255, 'x') + "ååå";
  const SharedRecord record = encode_shared(SharedHold{{}, false, true, at(0s), words});
  const auto content = decode_shared(record.key, record.value);
  ASSERT_TRUE(content && *content);
  EXPECT_EQ(std::get<SharedHold>(std::get<SharedFact>(**content)).why, std::string(255, 'x'));
}

TEST(SharedRecord, OfTheIdentityComesBack) {
  const ledger::Identity identity{ledger::samples::digest<ledger::Fingerprint>(3), 16};
  const SharedRecord record = encode_shared(identity);
  EXPECT_EQ(record.key, "identity");
  const auto content = decode_shared(record.key, record.value);
  ASSERT_TRUE(content && *content);
  EXPECT_EQ(std::get<ledger::Identity>(**content), identity);
}

struct TopicCase {
  std::string name;
  TopicDescription found;
  std::string said;  ///< empty: the topic will do
};

class LedgerTopicAsFound : public ::testing::TestWithParam<TopicCase> {};

TEST_P(LedgerTopicAsFound, IsTakenOrRefusedSayingWhatToDo) {
  const auto checked = check_ledger_topic("L", GetParam().found, 16, 1'000'000);
  EXPECT_EQ(checked.has_value(), GetParam().said.empty());
  if (checked) return;
  EXPECT_EQ(checked.error().remedy, Remedy::stop);
  EXPECT_THAT(checked.error().message, HasSubstr(GetParam().said));
}

TopicDescription described(std::int32_t partitions, std::string policy,
                           std::size_t bytes = 2'097'152) {
  return {.partitions = partitions,
          .cleanup_policy = std::move(policy),
          .message_bytes_max = bytes,
          .retention = {}};
}

INSTANTIATE_TEST_SUITE_P(
    Topics, LedgerTopicAsFound,
    ::testing::Values(TopicCase{"as_it_should_be", described(16, "compact"), ""},
                      TopicCase{"deletes", described(16, "delete"), "exactly `compact`"},
                      TopicCase{"does_both", described(16, "compact,delete"), "compact,delete"},
                      TopicCase{"has_fewer", described(8, "compact"), "has 8 partitions"},
                      TopicCase{"has_more", described(17, "compact"), "the input 16"},
                      TopicCase{"is_narrow", described(16, "compact", 900'000),
                                "raise its max.message.bytes"}),
    [](const auto& tested) { return tested.param.name; });

TEST(SharedTopic, HasOnePartitionAndForgetsNothing) {
  EXPECT_TRUE(check_shared_topic("S", described(1, "compact")));
  EXPECT_THAT(check_shared_topic("S", described(2, "compact")).error().message,
              HasSubstr("exactly one"));
  EXPECT_THAT(check_shared_topic("S", described(1, "delete")).error().message,
              HasSubstr("forget holds"));
  EXPECT_THAT(check_shared_topic("S", {}).error().message, HasSubstr("does not exist"));
}

}  // namespace
}  // namespace helsekontakter::kafka

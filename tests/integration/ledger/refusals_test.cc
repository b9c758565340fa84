#include "tests/integration/ledger/ledger_fixture.h"

#include <mutex>

#include <gmock/gmock.h>

// What is refused on a real Kafka, and what is said then.

namespace helsekontakter::kafka::test {
namespace {

using ledger::samples::at;
using ledger::samples::entry;
using ledger::samples::key;
using ledger::samples::parked;
using ::testing::AllOf;
using ::testing::HasSubstr;

class LedgerRefusal : public RealLedger {
 protected:
  /// What a recorder says about the ledger topic before it makes a producer; it makes none then.
  std::string start_trouble() {
    std::mutex mutex;
    std::string said;
    Observer observer;
    observer.trouble = [&](const Error& error) {
      const std::lock_guard lock(mutex);
      said = error.message;
    };
    Inbox inbox(1 << 20);
    KafkaRecorder recorder(record_settings(results_), "", input_, nullptr, inbox, observer,
                           topic());
    EXPECT_TRUE(recorder.start());
    recorder.record(record_of({write_of(key(1), entry(1))}));
    const auto deadline = Clock::now() + 20s;
    std::vector<Input> inputs;
    while (Clock::now() < deadline && inputs.empty()) {
      inbox.take(inputs, Clock::now() + 100ms);
      const std::lock_guard lock(mutex);
      if (!said.empty()) break;
    }
    EXPECT_TRUE(inputs.empty());
    recorder.stop();
    const std::lock_guard lock(mutex);
    return said;
  }
};

TEST_F(LedgerRefusal, OfATopicThatForgets) {
  make_ledger(1, {{"cleanup.policy", "compact,delete"}});
  EXPECT_THAT(start_trouble(),
              AllOf(HasSubstr("cleanup.policy=compact,delete"), HasSubstr("exactly `compact`")));
  make_ledger(1, {{"cleanup.policy", "delete"}});
  EXPECT_THAT(start_trouble(), HasSubstr("cleanup.policy=delete, which would forget members"));
}

TEST_F(LedgerRefusal, OfATopicWithAnotherNumberOfPartitionsThanTheInput) {
  make_ledger(2);
  format_ = ledger::format_of(1, 3);
  EXPECT_THAT(start_trouble(), AllOf(HasSubstr("has 2 partitions and the input 3"),
                                     HasSubstr("deploy/README.md says how to grow")));
}

TEST_F(LedgerRefusal, OfATopicThatIsMissing) {
  make_ledger(1);
  ledger_ += "-missing";
  EXPECT_THAT(start_trouble(), AllOf(HasSubstr("does not exist"), HasSubstr("--create")));
}

TEST_F(LedgerRefusal, OfAnotherHmacKey) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  EXPECT_THAT(refusal(ledger::format_of(9, 1)),
              AllOf(HasSubstr(ledger_ + "/0"), HasSubstr("put the old key back")));
}

TEST_F(LedgerRefusal, OfALedgerThatWasWrittenForAnotherNumberOfPartitions) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  EXPECT_THAT(refusal(ledger::format_of(1, 2)), HasSubstr("was written for 1 partitions"));
}

TEST_F(LedgerRefusal, OfARecordOfANewerFormatNamingItsPlace) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  std::string newer = *format_->encode(key(2), entry(1));
  newer[0] = 2;
  produce(ledger_, {{.value = newer,
                     .key = std::string(ledger::RecordFormat::encode_key(key(2))),
                     .headers = {}}});
  EXPECT_THAT(refusal(format_), AllOf(HasSubstr("holds format 2"), HasSubstr("(offset 2)")));
}

TEST_F(LedgerRefusal, OfARecordOfSomebodyElse) {
  make_ledger(1);
  produce(ledger_, {{.value = "{\"json\":true}", .key = "some-key", .headers = {}}});
  EXPECT_NE(refusal(format_), "");
}

TEST_F(LedgerRefusal, OfAKeptTableWhenTheTopicWasMadeAnew) {
  make_ledger(1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(write({write_of(key(1), entry(i))}));
  LedgerTables tables;
  tables[Partition{0}] = restore();
  tables[Partition{0}].position = 1000;
  const auto restored = try_restore(std::move(tables), format_);
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().message, HasSubstr("deleted and made anew"));
}

TEST_F(LedgerRefusal, OfAParkedChangeThatFitsInNoMessageLeavesNothingBehind) {
  make_ledger(1);
  ParkedChange large = ledger::samples::waiting(key(1), 9, at(0s));
  large.texts.append(Texts::Field::head, std::string(1'100'000, 'h'));
  LedgerEntry waits = entry(8);
  waits.parked = std::make_shared<const ParkedChange>(large);
  const auto session = open_session("one");
  const auto sent = session->send(record_of({write_of(key(2), entry(1)), write_of(key(1), waits)}),
                                  nullptr, Clock::now() + 20s);
  EXPECT_EQ(sent.attempt, Attempt::refused);
  EXPECT_THAT(sent.trouble, HasSubstr("does not fit into the ledger"));
  EXPECT_EQ(restore().table.size(), 0U);
}

TEST_F(LedgerRefusal, IsATroubleOnlyWhereRecordsWereRemovedInFront) {
  make_ledger(1, {{"cleanup.policy", "delete"}});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(write({write_of(key(1), entry(i))}));
  delete_records(ledger_, 0, 2);
  std::string said;
  Observer observer;
  observer.trouble = [&](const Error& error) { said = error.message; };
  const auto restored = restore_ledger(reading(), *format_, from_beginning(), {}, observer);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_THAT(said, HasSubstr("begins at offset 2"));
  EXPECT_EQ(restored->at(Partition{0}).table.size(), 1U);
}

}  // namespace
}  // namespace helsekontakter::kafka::test

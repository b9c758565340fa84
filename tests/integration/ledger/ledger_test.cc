#include "tests/integration/ledger/ledger_fixture.h"

#include <future>
#include <thread>

#include <gmock/gmock.h>

// The ledger on a real Kafka: what a reader sees of transactions, crashes and compaction.

namespace helsekontakter::kafka::test {
namespace {

using ledger::samples::at;
using ledger::samples::entry;
using ledger::samples::key;
using ledger::samples::parked;
using ::testing::SizeIs;

class KafkaLedger : public RealLedger {};

std::optional<LedgerEntry> found(const RestoredLedger& restored, std::uint64_t number) {
  return ledger::find(restored.table, key(number), BundleForm{});
}

TEST_F(KafkaLedger, DoesNotShowWhatWasAborted) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  const auto other = begin_transaction(10s);
  other->write(topic(), write_of(key(1), entry(2)));
  other->write(topic(), write_of(key(2), entry(2)));
  other->abort();
  const RestoredLedger restored = restore();
  EXPECT_EQ(found(restored, 1), entry(1));
  EXPECT_EQ(found(restored, 2), std::nullopt);
  EXPECT_EQ(restored.position, 5) << "two entries, an abort marker and a commit marker later";
}

TEST_F(KafkaLedger, DoesNotShowWhatACrashLeftHalfWritten) {
  make_ledger(1);
  {
    const auto other = begin_transaction(60s);
    other->write(topic(), write_of(key(1), entry(1)));
    // Nobody ends it: the process is gone.
  }
  const auto crashed = open_session("other");
  const auto sent =
      crashed->send(record_of({write_of(key(2), entry(2))}), nullptr, Clock::now() + 20s);
  ASSERT_EQ(sent.attempt, Attempt::durable) << sent.trouble;
  const RestoredLedger restored = restore();
  EXPECT_EQ(found(restored, 1), std::nullopt);
  EXPECT_EQ(found(restored, 2), entry(2));
}

TEST_F(KafkaLedger, WaitsForATransactionThatIsStillOpen) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  const auto other = begin_transaction(30s);
  other->write(topic(), write_of(key(1), entry(2)));
  auto restoring = std::async(std::launch::async, [&] { return restore(); });
  EXPECT_EQ(restoring.wait_for(1500ms), std::future_status::timeout);
  other->commit();
  EXPECT_EQ(found(restoring.get(), 1), entry(2));
}

TEST_F(KafkaLedger, WaitsUntilTheBrokerGivesUpOnADeadWorkersTransaction) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  const auto other = begin_transaction(2s);
  other->write(topic(), write_of(key(1), entry(2)));
  EXPECT_EQ(found(restore(), 1), entry(1));
}

TEST_F(KafkaLedger, StopsRestoringWhenItIsToldTo) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  const auto other = begin_transaction(30s);
  other->write(topic(), write_of(key(1), entry(2)));
  std::stop_source stop;
  auto restoring = std::async(std::launch::async, [&] {
    return restore_ledger(reading(), *format_, from_beginning(), stop.get_token(), {});
  });
  EXPECT_EQ(restoring.wait_for(1s), std::future_status::timeout);
  stop.request_stop();
  ASSERT_EQ(restoring.wait_for(5s), std::future_status::ready);
  EXPECT_FALSE(restoring.get());
}

TEST_F(KafkaLedger, GivesUpWhenNothingComesForTooLong) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  const auto other = begin_transaction(30s);
  other->write(topic(), write_of(key(1), entry(2)));
  LedgerReading impatient = reading();
  impatient.quiet_max = Milliseconds{2000};
  const auto restored = restore_ledger(impatient, *format_, from_beginning(), {}, {});
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().remedy, Remedy::retry);
  EXPECT_THAT(restored.error().message, ::testing::HasSubstr("whether a transaction hangs"));
}

TEST_F(KafkaLedger, SurvivesCompaction) {
  make_ledger(1, {{"segment.ms", "500"},
                  {"min.cleanable.dirty.ratio", "0.01"},
                  {"max.compaction.lag.ms", "1000"},
                  {"delete.retention.ms", "100"}});
  constexpr int rounds = 12;
  for (int round = 0; round < rounds; ++round) {
    std::vector<LedgerWrite> writes;
    for (std::uint64_t i = 0; i < 100; ++i) writes.push_back(write_of(key(i), entry(round)));
    ASSERT_TRUE(write(std::move(writes)));
    std::this_thread::sleep_for(600ms);  // so that segments are closed
  }
  RestoredLedger restored = restore();
  for (const auto deadline = Clock::now() + 60s; Clock::now() < deadline;) {
    if (restored.records < 100 * rounds / 2) break;
    std::this_thread::sleep_for(500ms);
    restored = restore();
  }
  EXPECT_LT(restored.records, 100U * rounds / 2) << "the broker compacted nothing in 60 s";
  EXPECT_EQ(restored.table.size(), 100U);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(found(restored, i), entry(rounds - 1));
}

TEST_F(KafkaLedger, GoesOnFromWhereAKeptTableStands) {
  make_ledger(1);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(write({write_of(key(1), entry(i))}));
  RestoredLedger kept = restore();
  EXPECT_EQ(kept.records, 5U);
  ASSERT_TRUE(write({write_of(key(2), parked(key(2), 7, at(0s)))}));
  ASSERT_TRUE(write({write_of(key(1), entry(9))}));
  LedgerTables tables;
  tables[Partition{0}] = std::move(kept);
  const auto again = try_restore(std::move(tables), format_);
  ASSERT_TRUE(again) << again.error().message;
  const RestoredLedger& restored = again->at(Partition{0});
  EXPECT_EQ(restored.records, 7U) << "five before, two now";
  EXPECT_EQ(found(restored, 1), entry(9));
  EXPECT_EQ(found(restored, 2), parked(key(2), 7, at(0s)));
}

TEST_F(KafkaLedger, KnowsItsEndWhileATransactionIsOpen) {
  make_ledger(2);
  ASSERT_TRUE(write({write_of(key(1), entry(1), Partition{1})}));
  const auto other = begin_transaction(30s);
  other->write(topic(), write_of(key(1), entry(2), Partition{1}));
  const auto ends = read_ledger_ends(reading(), {Partition{0}, Partition{1}}, {});
  ASSERT_TRUE(ends) << ends.error().message;
  EXPECT_EQ(ends->at(Partition{0}), 0);
  EXPECT_EQ(ends->at(Partition{1}), 3) << "entry, marker, entry of the open one";
}

TEST_F(KafkaLedger, KnowsAPartitionOnceAnythingOfItWasCommitted) {
  make_ledger(3);
  ASSERT_TRUE(write({write_of(key(1), entry(1))}));
  const auto other = begin_transaction(30s);
  other->write(topic(), write_of(key(2), entry(2), Partition{1}));
  other->abort();
  // Of the second it was aborted, and of the third there is none.
  EXPECT_EQ(with_ledger_records(reading(), {Partition{0}, Partition{1}, Partition{2}}, {}),
            std::set{Partition{0}});

  // So of a group without committed offsets the first is held, and the others are read.
  const auto input = make_topic(3);
  produce(input, {{.value = "e", .partition = 0},
                  {.value = "e", .partition = 1},
                  {.value = "e", .partition = 2}});
  auto settings = source_settings(input);
  settings.ledger_partitions = 3;
  settings.ledger_knows = [reading = reading()](const auto& partitions) {
    return with_ledger_records(reading, partitions, {});
  };
  Member member(settings, record_settings(results_));
  ASSERT_TRUE(member.take_deliveries(2));
  member.take_for(500ms);
  EXPECT_THAT(member.assigned, SizeIs(2));
  EXPECT_FALSE(member.assigned.contains(Partition{0}));
  EXPECT_TRUE(member.held.at(Partition{0}));
  EXPECT_TRUE(member.troubled_by(input + "/0: the ledger knows members of it"));
}

TEST_F(KafkaLedger, RestoresAllPartitionsInOneGo) {
  make_ledger(4);
  std::vector<LedgerWrite> writes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    writes.push_back(write_of(key(i), entry(1), Partition{static_cast<std::int32_t>(i % 3)}));
  }
  ASSERT_TRUE(write(std::move(writes)));
  LedgerTables tables;
  for (std::int32_t i = 0; i < 4; ++i) tables[Partition{i}];
  const auto restored = try_restore(std::move(tables), format_);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->at(Partition{0}).table.size(), 334U);
  EXPECT_EQ(restored->at(Partition{2}).table.size(), 333U);
  EXPECT_EQ(restored->at(Partition{3}).table.size(), 0U);
}

TEST_F(KafkaLedger, ForgetsAMemberWhoseRecordWasDeletedByAPerson) {
  make_ledger(1);
  ASSERT_TRUE(write({write_of(key(1), entry(1)), write_of(key(2), entry(1))}));
  produce(ledger_, {{.value = "",
                     .key = std::string(ledger::RecordFormat::encode_key(key(1))),
                     .headers = {},
                     .null_value = true}});
  const RestoredLedger restored = restore();
  EXPECT_EQ(found(restored, 1), std::nullopt);
  EXPECT_EQ(found(restored, 2), entry(1));
}

TEST_F(KafkaLedger, Holds200000MembersAndRestoresThem) {
  make_ledger(1);
  constexpr std::uint64_t members = 200'000;
  constexpr std::uint64_t at_a_time = 5000;
  for (std::uint64_t begin = 0; begin < members; begin += at_a_time) {
    std::vector<LedgerWrite> writes;
    for (std::uint64_t i = begin; i < begin + at_a_time; ++i) {
      const bool waits = i % 10 == 0;
      writes.push_back(write_of(
          key(i), waits ? parked(key(i), 7, at(1s * i)) : entry(static_cast<std::int64_t>(i))));
    }
    ASSERT_TRUE(write(std::move(writes)));
  }
  const auto begun = Clock::now();
  const RestoredLedger restored = restore();
  const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - begun);
  RecordProperty("restored_ms", static_cast<int>(took.count()));
  std::printf("200 000 entries, 20 000 of them parked, restored in %d ms\n",
              static_cast<int>(took.count()));
  EXPECT_EQ(restored.table.size(), members);
  EXPECT_EQ(restored.table.parked(), members / 10);
  EXPECT_EQ(found(restored, 199'999), entry(199'999));
  EXPECT_EQ(found(restored, 100'000), parked(key(100'000), 7, at(100'000s)));
}

/// The whole way: a source, and a recorder that has a ledger.
TEST_F(KafkaLedger, BecomesDurableTogetherWithResultsAndOffsetsOrNotAtAll) {
  make_ledger(1);
  const auto input = make_topic(1);
  produce(input, {{.value = "event-1", .key = "k-1", .headers = {}}});
  Member member(source_settings(input), record_settings(results_));
  Inbox answers(1 << 20);
  KafkaRecorder recorder(record_settings(results_), "", input, member.source.ownership(), answers,
                         {}, topic());
  ASSERT_TRUE(recorder.start());
  ASSERT_TRUE(member.take_deliveries(1));
  const auto write_with = [&](LedgerEntry what, const std::string& metadata) {
    Record record = member.next_record();
    record.progress.at(0).metadata = metadata;
    record.ledger.push_back({Partition{0}, record.progress.at(0).epoch, key(1), std::move(what)});
    recorder.record(std::move(record));
    std::vector<Input> inputs;
    const auto deadline = Clock::now() + 60s;
    while (inputs.empty() && Clock::now() < deadline) answers.take(inputs, deadline);
    EXPECT_THAT(inputs, SizeIs(1));
    return std::get<Recorded>(inputs.at(0)).durable;
  };
  EXPECT_TRUE(write_with(entry(1), ""));
  EXPECT_FALSE(write_with(entry(2), std::string(5000, 'M'))) << "the offset is refused";
  EXPECT_EQ(found(restore(), 1), entry(1));
  EXPECT_THAT(read_committed(results_), SizeIs(1));
}

}  // namespace
}  // namespace helsekontakter::kafka::test

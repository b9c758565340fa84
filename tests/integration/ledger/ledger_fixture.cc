#include "tests/integration/ledger/ledger_fixture.h"

#include "adapters/kafka/properties.h"

#include <set>
#include <utility>

#include <unistd.h>

namespace helsekontakter::kafka::test {

void RealLedger::make_ledger(std::int32_t partitions, std::map<std::string, std::string> options) {
  options.try_emplace("cleanup.policy", "compact");
  ledger_ = make_topic(partitions, std::move(options));
  results_ = make_topic(1);
  format_ = ledger::format_of(1, static_cast<std::uint32_t>(partitions));
}

std::shared_ptr<RecordSession> RealLedger::open_session(const std::string& worker) {
  RecordSettings settings = record_settings(results_);
  settings.transactional_id = ledger_ + "-" + worker;
  auto session =
      RecordSession::open(settings, "", input_, {}, {}, Clock::now() + 20s, topic(), 1'048'588);
  EXPECT_TRUE(session) << session.error().message;
  return session ? *session : nullptr;
}

Record RealLedger::record_of(std::vector<LedgerWrite> writes) {
  Record record{.id = RecordId{1}};
  std::set<Partition> partitions;
  for (const LedgerWrite& write : writes) {
    if (!partitions.insert(write.partition).second) continue;
    record.progress.push_back({write.partition, write.epoch, 0, {}});
  }
  record.ledger = std::move(writes);
  return record;
}

bool RealLedger::write(std::vector<LedgerWrite> writes) {
  if (!session_) session_ = open_session("one");
  const auto sent = session_->send(record_of(std::move(writes)), nullptr, Clock::now() + 20s);
  EXPECT_EQ(sent.trouble, "");
  return sent.attempt == Attempt::durable;
}

std::unique_ptr<RealLedger::OpenTransaction> RealLedger::begin_transaction(Milliseconds timeout) {
  auto properties = connection_properties(connection(), "");
  properties["transactional.id"] = ledger_ + "-other";
  properties["transaction.timeout.ms"] = std::to_string(timeout.count());
  properties["message.timeout.ms"] = std::to_string(timeout.count());
  const auto client = make_client(RD_KAFKA_PRODUCER, properties, 0, {});
  EXPECT_TRUE(client);
  const OwnedError not_made(rd_kafka_init_transactions((*client)->get(), 20'000));
  EXPECT_EQ(not_made, nullptr);
  const OwnedError not_begun(rd_kafka_begin_transaction((*client)->get()));
  EXPECT_EQ(not_begun, nullptr);
  return std::make_unique<OpenTransaction>(*client);
}

void RealLedger::OpenTransaction::write(const LedgerTopic& topic, const LedgerWrite& write) {
  const std::string value = *topic.format->encode(write.key, write.entry);
  const auto key = ledger::RecordFormat::encode_key(write.key);
  ASSERT_EQ(
      rd_kafka_producev(client_->get(), RD_KAFKA_V_TOPIC(topic.topic.c_str()),
                        RD_KAFKA_V_PARTITION(static_cast<std::int32_t>(write.partition)),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                        RD_KAFKA_V_KEY(const_cast<char*>(key.data()), key.size()), RD_KAFKA_V_END),
      RD_KAFKA_RESP_ERR_NO_ERROR);
  ASSERT_EQ(rd_kafka_flush(client_->get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

void RealLedger::OpenTransaction::commit() {
  const OwnedError error(rd_kafka_commit_transaction(client_->get(), 20'000));
  EXPECT_EQ(error, nullptr);
}

void RealLedger::OpenTransaction::abort() {
  const OwnedError error(rd_kafka_abort_transaction(client_->get(), 20'000));
  EXPECT_EQ(error, nullptr);
}

LedgerReading RealLedger::reading() const {
  return {
      .connection = connection(), .password = "", .topic = ledger_, .group = ledger_ + "-group"};
}

LedgerTables RealLedger::from_beginning(Partition partition) {
  LedgerTables tables;
  tables[partition];
  return tables;
}

Result<LedgerTables> RealLedger::try_restore(LedgerTables from, const Format& format) const {
  return restore_ledger(reading(), *format, std::move(from), {}, {});
}

RestoredLedger RealLedger::restore(Partition partition) {
  auto tables = try_restore(from_beginning(partition), format_);
  EXPECT_TRUE(tables) << tables.error().message;
  return tables ? std::move(tables->at(partition)) : RestoredLedger{};
}

std::string RealLedger::refusal(const Format& format) const {
  const auto tables = try_restore(from_beginning(), format);
  if (tables) return "";
  EXPECT_EQ(tables.error().remedy, Remedy::stop);
  return tables.error().message;
}

}  // namespace helsekontakter::kafka::test

#pragma once

#include "adapters/kafka/ledger_restore.h"
#include "adapters/kafka/transaction.h"
#include "tests/contract/ledger/formats.h"
#include "tests/integration/kafka/kafka_fixture.h"
#include "tests/unit/ledger/samples.h"
#include "worker/ledger/ledger.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter::kafka::test {

using Format = std::shared_ptr<const ledger::RecordFormat>;

/// A ledger topic on a real Kafka: transactions that write to it, and readers that restore it.
class RealLedger : public RealKafka {
 public:
  /// A new ledger and a results topic, for an input of so many partitions.
  void make_ledger(std::int32_t partitions, std::map<std::string, std::string> options = {});

  /// A producer of its own, as a worker has one.
  [[nodiscard]] std::shared_ptr<RecordSession> open_session(const std::string& worker);
  /// One record with these entries; every partition's offset stands in its progress.
  [[nodiscard]] static Record record_of(std::vector<LedgerWrite> writes);
  /// Writes a record by a worker that stays; true when it is durable.
  bool write(std::vector<LedgerWrite> writes);

  /// A transaction of somebody who is not ours, step by step.
  class OpenTransaction;
  [[nodiscard]] std::unique_ptr<OpenTransaction> begin_transaction(Milliseconds timeout);

  [[nodiscard]] LedgerReading reading() const;
  /// Everything from the beginning; fails the test when it is refused.
  [[nodiscard]] RestoredLedger restore(Partition partition = Partition{0});
  [[nodiscard]] Result<LedgerTables> try_restore(LedgerTables from, const Format& format) const;
  [[nodiscard]] static LedgerTables from_beginning(Partition partition = Partition{0});
  [[nodiscard]] std::string refusal(const Format& format) const;

  [[nodiscard]] LedgerTopic topic() const { return {ledger_, format_}; }

  std::string ledger_;
  std::string results_;
  std::string input_ = "input-that-nobody-reads";
  Format format_;

 private:
  void TestBody() override {}

  std::shared_ptr<RecordSession> session_;
};

/// Its entries lie in the log, neither committed nor aborted, until one of both is said, or until
/// the broker gives up on it.
class RealLedger::OpenTransaction {
 public:
  explicit OpenTransaction(SharedClient client) : client_(std::move(client)) {}
  /// The entry is in the log when this returns.
  void write(const LedgerTopic& topic, const LedgerWrite& write);
  void commit();
  void abort();

 private:
  SharedClient client_;
};

inline LedgerWrite write_of(const MemberKey& key, LedgerEntry entry,
                            Partition partition = Partition{0}) {
  return {partition, Epoch{1}, key, std::move(entry)};
}

}  // namespace helsekontakter::kafka::test

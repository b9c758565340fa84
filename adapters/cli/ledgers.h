#pragma once

#include "adapters/config/configuration.h"
#include "adapters/crypto/keyed_hash.h"
#include "adapters/kafka/ledger_topic.h"
#include "adapters/kafka/observer.h"
#include "adapters/kafka/shared_topic_writer.h"
#include "adapters/ledger/ledger_store.h"
#include "worker/domain/result.h"
#include "worker/ledger/shared.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace helsekontakter::cli {

/// The ledger of this deployment: read back by its store, written with each record.
struct OpenLedger {
  std::shared_ptr<ledger::LedgerStore> store;
  /// On Kafka: those of the partitions of which anything was ever recorded. Blocks.
  std::function<Result<std::set<Partition>>(const std::vector<Partition>&)> knows;
  std::uint32_t partitions = 0;  ///< on Kafka: as many as the input had at the start
  /// On Kafka: entries go into the record's transaction.
  kafka::LedgerTopic topic;
  kafka::SharedTopic shared_topic;
  /// Elsewhere: entries are written before results. Blocks on the disk; the recorder's thread.
  std::function<Result<void>(std::span<const LedgerWrite>)> write;
  /// SQLite: brakes that were pulled before this start, and how one is remembered. Blocks on the
  /// disk for a moment; brakes are rare.
  std::vector<SharedBrake> brakes;
  std::function<Result<void>(const SharedBrake&)> keep_brake;
  /// SQLite: the last worker of this file ended in order, so nothing of it can be under way.
  bool was_clean = false;
  /// SQLite: this one ended in order. After the recorder has stopped.
  std::function<Result<void>()> end_clean;
};

/// While the brokers are away this waits, saying so once by `observer.trouble`, for as long as
/// `goes_on` says so; then Remedy::retry. A ledger that may not be used is refused (Remedy::stop).
[[nodiscard]] Result<OpenLedger> open_ledger(const config::Configuration& configuration,
                                             const crypto::KeyedHash& hash,
                                             const kafka::Observer& observer,
                                             const std::function<bool()>& goes_on);

}  // namespace helsekontakter::cli

#pragma once

#include "adapters/crypto/password.h"
#include "adapters/kafka/observer.h"
#include "adapters/kafka/settings.h"
#include "adapters/ledger/record_format.h"
#include "worker/domain/result.h"
#include "worker/ledger/table.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace helsekontakter::kafka {

/// How the ledger topic is read: by a consumer of its own, which assigns partitions by hand and
/// never joins the group.
struct LedgerReading {
  Connection connection;
  crypto::Password password;
  std::string topic;
  std::string group;  ///< the source's: its rights cover this consumer too; nothing is committed
  Milliseconds quiet_max{30'000};          ///< gives up when the broker says nothing for so long
  std::size_t fetch_bytes_max = 16 << 20;  ///< fetched ahead, of all partitions together
};

/// A table and how far it is right: every write below `position` is in it.
struct RestoredLedger {
  ledger::LedgerTable table;
  Offset position = 0;      ///< 0: the beginning
  std::size_t records = 0;  ///< read this time
};
using LedgerTables = std::map<Partition, RestoredLedger>;

/// Reads each partition's ledger from the position given (a kept table, or a new one at 0) to its
/// end: takes the high watermark as a read_uncommitted reader sees it, then reads committed records
/// until past it, so that a transaction of the partition's owner before us that is still open is
/// waited for. To be called when the partition is ours and nobody else may write for it: after
/// `committed()` is stable.
/// Blocks: about 300 000 records a second; at most `quiet_max` and 3 s beyond the last word of the
/// brokers. A stop is seen within 100 ms.
/// Remedy::stop: what was read is refused (another key, a newer format, ...), the message says what
/// to do. Remedy::retry: begin again from where the caller's tables were.
[[nodiscard]] Result<LedgerTables> restore_ledger(const LedgerReading& reading,
                                                  const ledger::RecordFormat& format,
                                                  LedgerTables from, std::stop_token stop,
                                                  const Observer& observer);

/// Those of the partitions in whose ledger a committed record stands. Blocks as restore_ledger
/// does: twice quiet_max and a few seconds at most, however many they are.
[[nodiscard]] Result<std::set<Partition>> with_ledger_records(
    const LedgerReading& reading, const std::vector<Partition>& partitions,
    const Observer& observer);

/// The end of each partition's ledger as it stands. While a partition is ours and no record is
/// under way, its table is right up to there, so a position taken now and then spares reading that
/// stretch again after a revocation; it is void when the partition is lost rather than revoked, as
/// somebody else may have written by then. Blocks as restore_ledger does.
[[nodiscard]] Result<std::map<Partition, Offset>> read_ledger_ends(
    const LedgerReading& reading, const std::vector<Partition>& partitions,
    const Observer& observer);

}  // namespace helsekontakter::kafka

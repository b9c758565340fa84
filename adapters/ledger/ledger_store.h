#pragma once

#include "worker/domain/result.h"
#include "worker/ledger/table.h"
#include "worker/ports/ledger.h"

#include <map>
#include <stop_token>

namespace helsekontakter::ledger {

/// A table and how far it is right: every durable write below `position` is in it.
struct RestoredTable {
  LedgerTable table;
  Offset position = 0;  ///< 0: nothing is known to be in it
};
using RestoredTables = std::map<Partition, RestoredTable>;

/// Where a ledger is durable, as far as reading it back goes. Writes go another way, with the
/// record.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;

  /// Completes the tables given, each from its position. Any thread, several at a time; blocks. A
  /// stop is seen soon, or the answer comes late and is dropped. Remedy::stop: the ledger is
  /// refused, and the message says what to do. Remedy::retry: begin again with empty tables.
  [[nodiscard]] virtual Result<RestoredTables> restore(RestoredTables from,
                                                       std::stop_token stop) = 0;
};

}  // namespace helsekontakter::ledger

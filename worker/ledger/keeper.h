#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/time.h"
#include "worker/ledger/table.h"

#include <cstddef>
#include <map>
#include <optional>

namespace helsekontakter::ledger {

/// Tables of partitions that went, in case they come back: an hour by default. A kept table with
/// its position is as good as the ledger up to there, because what others wrote since is read from
/// the position on, and an entry that is read twice does no harm. One thread at a time; the time is
/// an argument.
class LedgerKeeper {
 public:
  struct Limits {
    Milliseconds keep_for{3'600'000};
    std::size_t members_max = 2'000'000;  ///< of all kept tables together; the oldest goes first
  };
  explicit LedgerKeeper(Limits limits) : limits_(limits) {}

  struct Kept {
    LedgerTable table;
    Offset position = 0;  ///< every write of the partition's ledger below it is in the table
  };
  /// `members_elsewhere`: how many of members_max the tables in use take.
  void keep(Partition partition, Kept kept, std::size_t members_elsewhere, TimePoint now);
  /// Hands it back, once; nothing when there is none, or when it was kept too long.
  [[nodiscard]] std::optional<Kept> take(Partition partition, TimePoint now);
  /// Frees what was kept too long, and the oldest while tables kept and in use have too many
  /// members. To be called now and then: nothing else happens by time.
  void drop(std::size_t members_elsewhere, TimePoint now);

  [[nodiscard]] std::size_t members() const;

 private:
  struct Item {
    Kept kept;
    TimePoint since;
  };
  void drop_old(TimePoint now);
  void drop_oldest();

  const Limits limits_;
  std::map<Partition, Item> items_;
};

}  // namespace helsekontakter::ledger

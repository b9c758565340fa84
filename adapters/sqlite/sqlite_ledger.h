#pragma once

#include "adapters/ledger/record_format.h"
#include "adapters/sqlite/database.h"
#include "worker/domain/result.h"
#include "worker/ledger/shared.h"
#include "worker/ledger/table.h"
#include "worker/ports/ledger.h"

#include <span>
#include <string>
#include <vector>

namespace helsekontakter::sqlite {

/// The ledger in one file, for one worker: the default beside a file or AMQP source. Write-ahead
/// log, synchronous=FULL: what write() said is durable survives a power cut. Needs a persistent
/// disk of this machine; a network file system does not keep SQLite's locks.
/// A plain class: every call blocks on the disk, so it is called on the recorder's thread (write)
/// or before the core is told of the partition (open, restore). One thread at a time.
class SqliteLedger {
 public:
  /// Opens the file or makes it, takes it for this worker alone, and reads all of it once to know
  /// that it is whole (half a second for two million members). Refuses, with nothing changed:
  /// a file in use, damaged, truncated, empty, not a ledger, of a newer release, of another HMAC
  /// key or number of partitions, or not writable. Remedy: stop.
  [[nodiscard]] static Result<SqliteLedger> open(const std::string& path,
                                                 ledger::RecordFormat format);

  /// Everything durable of one partition. Blocks: 2 000 000 members take a few seconds.
  [[nodiscard]] Result<ledger::LedgerTable> restore(Partition partition);

  /// All writes of one record in one transaction, the last of a key winning; a transaction without
  /// writes is none. Blocks for one or two syncs of the disk. On an error nothing of it is seen;
  /// it may be tried again (Remedy::retry: full or broken disk).
  [[nodiscard]] Result<void> write(std::span<const LedgerWrite> writes);

  /// Brakes that are pulled stay so, whatever ends the worker. Durable when it returns well; one
  /// that is released is forgotten.
  [[nodiscard]] Result<void> keep(const SharedBrake& brake);
  [[nodiscard]] Result<std::vector<SharedBrake>> pulled_brakes();

  /// A worker begins: whether the one before ended in order (or there was none), so that nothing
  /// of it can still be under way. Until end_run() the file says of this one that it did not.
  [[nodiscard]] Result<bool> begin_run();
  /// It ends in order: nothing that it submitted is under way or can still be executed.
  [[nodiscard]] Result<void> end_run();

 private:
  SqliteLedger(std::string path, ledger::RecordFormat format, Database database)
      : path_(std::move(path)), format_(std::move(format)), database_(std::move(database)) {}

  [[nodiscard]] Result<void> recognize() const;
  [[nodiscard]] Result<void> create() const;
  [[nodiscard]] Result<void> take() const;
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> put_all(std::span<const LedgerWrite> writes);

  std::string path_;
  ledger::RecordFormat format_;
  Database database_;
  Statement put_;
  Statement all_;
};

}  // namespace helsekontakter::sqlite

#pragma once

#include "worker/domain/result.h"
#include "worker/ports/ledger.h"

#include <functional>
#include <span>

namespace helsekontakter::file {

/// What a ledger beside the files does, and when; each may be empty. Calls may block on a disk. The
/// two never overlap: nothing is under way when reading begins.
struct LedgerSteps {
  /// On the source's thread, before the core is told that the file is assigned under this epoch.
  /// While it fails, the file is held.
  std::function<Result<void>(Partition, Epoch)> restore;
  /// On the recorder's thread, before results are written. While it fails (Remedy::retry), nothing
  /// is; it is called again with the same entries.
  std::function<Result<void>(std::span<const LedgerWrite>)> write;
};

}  // namespace helsekontakter::file

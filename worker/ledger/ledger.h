#pragma once

#include "worker/fhir/form.h"
#include "worker/ledger/table.h"
#include "worker/ports/ledger.h"

#include <cstddef>
#include <map>
#include <optional>
#include <span>

namespace helsekontakter::ledger {

/// The tables of the partitions that are ours, answering the core's commands. Whoever hosts the
/// core owns it and calls it on one thread: assign() before the core is told `Assigned`, apply()
/// when a record is durable and before the core is told so, release() when the partition goes.
/// Computes only: a look-up takes under a microsecond.
class Ledger {
 public:
  explicit Ledger(BundleForm form) : form_(std::move(form)) {}

  /// The table as it was restored or kept; what was handed out of it before may be again.
  void assign(Partition partition, Epoch epoch, LedgerTable table);
  /// The table as it stands, for keeping; nothing when the partition is not ours.
  std::optional<LedgerTable> release(Partition partition);

  [[nodiscard]] LedgerAnswers look_up(std::span<const LedgerLookup> lookups) const;
  [[nodiscard]] DueChanges take_due(const TakeDue& command);
  /// Walks over the partition's entries.
  [[nodiscard]] LedgerOfferings list_offerings(const ListOfferings& command) const;
  /// In memory only: after a restart it is asked for again. Walks over the partition's entries.
  void make_due(const MakeDue& command);
  /// Takes over what has become durable. A write under an epoch that is over is dropped.
  void apply(std::span<const LedgerWrite> writes);

  struct Figures {
    std::size_t members = 0;
    std::size_t parked = 0;
    std::size_t bytes = 0;
    std::size_t parked_bytes = 0;
  };
  [[nodiscard]] Figures figures() const;

 private:
  struct Part {
    Epoch epoch{};
    LedgerTable table;
  };
  [[nodiscard]] const Part* find(Partition partition, Epoch epoch) const;
  template <class Asked>
  void fetch(const Asked& asked) const;

  const BundleForm form_;
  std::map<Partition, Part> parts_;
};

/// Puts an entry with its parked change into a table.
void put(LedgerTable& table, const MemberKey& key, const LedgerEntry& entry,
         const BundleForm& form);

/// The entry of a key with its parked change, where there is one.
[[nodiscard]] std::optional<LedgerEntry> find(const LedgerTable& table, const MemberKey& key,
                                              const BundleForm& form);

}  // namespace helsekontakter::ledger

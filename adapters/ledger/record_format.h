#pragma once

#include "adapters/ledger/identity.h"
#include "adapters/ledger/sealing_keys.h"
#include "worker/domain/result.h"
#include "worker/fhir/form.h"
#include "worker/ledger/table.h"
#include "worker/ports/ledger.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace helsekontakter::ledger {

/// The durable form of an entry, the same on Kafka and in SQLite. Key: the 16 bytes of the member
/// key. Value: format number, four bytes of the fingerprint, number of partitions, the entry's
/// fields, and, where a change is parked, that one sealed; its seal binds it to its key and to the
/// fields before it. About 50 bytes, about 280 with a parked membership. Const calls from any
/// thread.
class RecordFormat {
 public:
  RecordFormat(Identity identity, SealingKeys keys, BundleForm form)
      : identity_(identity), keys_(std::move(keys)), form_(std::move(form)) {}

  [[nodiscard]] static std::string_view encode_key(const MemberKey& key) {
    return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
  }

  /// The value. Over bytes_max a parked change gives up its payload and headers (its dead
  /// letter becomes a reference then) and its trace context; still over: Remedy::reject.
  [[nodiscard]] Result<std::string> encode(const MemberKey& key, const LedgerEntry& entry,
                                           std::size_t bytes_max = no_limit) const;
  static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

  /// Reads a record and puts it into the table. Refuses (Remedy::stop, saying what to do) a newer
  /// format, another HMAC key, another number of partitions, a sealing key that is not there, and
  /// bytes that were damaged; the table is as it was then. `where` names the ledger.
  [[nodiscard]] Result<void> read(std::string_view key, std::string_view value, LedgerTable& table,
                                  const std::string& where) const;

  [[nodiscard]] const Identity& identity() const { return identity_; }

 private:
  [[nodiscard]] std::string encode_whole(const MemberKey& key, const LedgerEntry& entry) const;

  Identity identity_;
  SealingKeys keys_;
  BundleForm form_;
};

}  // namespace helsekontakter::ledger

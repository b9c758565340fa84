#pragma once

#include "adapters/kafka/topic_log.h"
#include "adapters/ledger/record_format.h"
#include "adapters/tools/external_sort.h"
#include "worker/domain/bytes.h"
#include "worker/domain/verdict.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <tuple>

namespace helsekontakter::tools {

/// What a ledger record says, as far as the tools compare it. The newest of a key comes first.
struct LedgerRow {
  MemberKey key;
  std::int32_t partition = 0;
  std::int64_t offset = 0;  ///< of the record
  std::uint8_t verdict = 0;
  bool is_known = false;   ///< false: the record was deleted
  bool is_parked = false;  ///< a change waits
  std::int64_t parked_offset = 0;
  Uuid parked_result;  ///< id of the result that ends it

  friend bool operator<(const LedgerRow& a, const LedgerRow& b) {
    return std::tie(a.key, a.partition, b.offset) < std::tie(b.key, b.partition, a.offset);
  }
};

/// The verdict that a member was last told: inactive while a change of it waits for that reason;
/// nothing while nothing was concluded.
[[nodiscard]] std::optional<Verdict> last_verdict(const LedgerEntry& entry);

/// Makes entries of ledger records, one at a time.
class LedgerReader {
 public:
  explicit LedgerReader(ledger::RecordFormat format) : format_(std::move(format)) {}

  /// The entry with its parked change; nothing for a record that was deleted. Refuses what
  /// ledger::RecordFormat refuses.
  [[nodiscard]] Result<std::optional<LedgerEntry>> read(const kafka::TopicRecord& record,
                                                        const std::string& topic,
                                                        const BundleForm& form);

 private:
  ledger::RecordFormat format_;
  ledger::LedgerTable table_;
};

/// The key of a ledger record; nothing: it is none.
[[nodiscard]] std::optional<MemberKey> ledger_key(const kafka::TopicRecord& record);

/// Reads the ledger topic to its end, and calls visit() with the newest row of each key and
/// partition. Memory does not grow with the topic. False: stopped.
[[nodiscard]] Result<bool> read_ledger(const kafka::TopicLog& log, ledger::RecordFormat format,
                                       const BundleForm& form, const std::stop_token& stop,
                                       const std::function<Result<void>(const LedgerRow&)>& visit);

}  // namespace helsekontakter::tools

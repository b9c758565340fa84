#include "adapters/tools/ledger_rows.h"

#include "adapters/tools/event_records.h"
#include "worker/ledger/ledger.h"

#include <cstring>

namespace helsekontakter::tools {

using Field = Texts::Field;

std::optional<Verdict> last_verdict(const LedgerEntry& entry) {
  const bool is_newest = entry.parked && entry.parked->change.version >= entry.version;
  if (is_newest && entry.parked->why == Reason::not_digitally_active) return Verdict::inactive;
  if (entry.version == LedgerEntry::nothing_concluded) return std::nullopt;
  return entry.verdict;
}

std::optional<MemberKey> ledger_key(const kafka::TopicRecord& record) {
  MemberKey key;
  if (record.key.size() != key.bytes.size()) return std::nullopt;
  std::memcpy(key.bytes.data(), record.key.data(), key.bytes.size());
  return key;
}

Result<std::optional<LedgerEntry>> LedgerReader::read(const kafka::TopicRecord& record,
                                                      const std::string& topic,
                                                      const BundleForm& form) {
  const auto key = ledger_key(record);
  if (record.is_null || !key) return std::optional<LedgerEntry>{};
  const std::string where = "the ledger topic " + topic + "/" +
                            std::to_string(static_cast<std::int32_t>(record.position.partition));
  if (auto read = format_.read(record.key, record.value, table_, where); !read) {
    return tl::unexpected(read.error());
  }
  auto entry = ledger::find(table_, *key, form);
  table_.erase(*key);
  return entry;
}

Result<bool> read_ledger(const kafka::TopicLog& log, ledger::RecordFormat format,
                         const BundleForm& form, const std::stop_token& stop,
                         const std::function<Result<void>(const LedgerRow&)>& visit) {
  LedgerReader reader(std::move(format));
  ExternalSort<LedgerRow> rows;
  const auto bounds = log.bounds();
  if (!bounds) return tl::unexpected(bounds.error());
  const auto take = [&](const kafka::TopicRecord& record) -> Result<bool> {
    const auto key = ledger_key(record);
    if (!key) return true;
    const auto entry = reader.read(record, log.topic(), form);
    if (!entry) return tl::unexpected(entry.error());
    LedgerRow row{.key = *key,
                  .partition = static_cast<std::int32_t>(record.position.partition),
                  .offset = record.position.offset};
    if (*entry) {
      const auto verdict = last_verdict(**entry);
      row.is_known = verdict.has_value();
      row.verdict = static_cast<std::uint8_t>(verdict.value_or(Verdict::accepted));
      if (const auto& parked = (*entry)->parked) {
        row.is_parked = true;
        row.parked_offset = parked->offset;
        row.parked_result = terminal_result_id(
            parked->texts[Field::source], parked->texts[Field::id], parked->texts[Field::resend]);
      }
    }
    if (auto added = rows.add(row); !added) return tl::unexpected(added.error());
    return true;
  };
  const auto whole = log.read(*bounds, take, stop);
  if (!whole || !*whole) return whole;
  const auto same = [](const LedgerRow& a, const LedgerRow& b) {
    return a.key == b.key && a.partition == b.partition;
  };
  if (auto seen = rows.for_first_of_each(same, visit); !seen) {
    return tl::unexpected(seen.error());
  }
  return true;
}

}  // namespace helsekontakter::tools

#include "worker/ledger/ledger.h"

#include "worker/domain/ensure.h"
#include "worker/domain/fetch.h"
#include "worker/ledger/parked.h"

#include <algorithm>
#include <string>
#include <utility>

namespace helsekontakter::ledger {
namespace {

/// What is in a table was packed by us, so it can be read.
std::shared_ptr<const ParkedChange> unpack_own(std::string_view packed, const MemberKey& key,
                                               const BundleForm& form) {
  auto parked = unpack(packed, key, form);
  ensure(parked.has_value());
  return std::make_shared<const ParkedChange>(std::move(*parked));
}

}  // namespace

void put(LedgerTable& table, const MemberKey& key, const LedgerEntry& entry,
         const BundleForm& form) {
  if (!entry.parked) {
    table.put(key, entry, std::nullopt);
    return;
  }
  const std::string packed = pack(*entry.parked, form);
  table.put(key, entry, LedgerTable::Parked{.packed = packed, .due = entry.parked->due});
}

std::optional<LedgerEntry> find(const LedgerTable& table, const MemberKey& key,
                                const BundleForm& form) {
  auto found = table.find(key);
  if (!found) return std::nullopt;
  if (found->packed) found->entry.parked = unpack_own(*found->packed, key, form);
  return std::move(found->entry);
}

void Ledger::assign(Partition partition, Epoch epoch, LedgerTable table) {
  table.rearm();
  parts_.insert_or_assign(partition, Part{epoch, std::move(table)});
}

std::optional<LedgerTable> Ledger::release(Partition partition) {
  auto part = parts_.extract(partition);
  if (part.empty()) return std::nullopt;
  return std::move(part.mapped().table);
}

const Ledger::Part* Ledger::find(Partition partition, Epoch epoch) const {
  const auto found = parts_.find(partition);
  if (found == parts_.end() || found->second.epoch != epoch) return nullptr;
  return &found->second;
}

/// The tables outweigh the processor's caches, so what is needed is asked for some keys ahead.
template <class Asked>
void Ledger::fetch(const Asked& asked) const {
  const auto part = parts_.find(asked.partition);
  if (part != parts_.end()) part->second.table.fetch(asked.key);
}

LedgerAnswers Ledger::look_up(std::span<const LedgerLookup> lookups) const {
  LedgerAnswers answers;
  answers.answers.reserve(lookups.size());
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    const LedgerLookup& lookup = lookups[i];
    if (i + fetched_ahead < lookups.size()) fetch(lookups[i + fetched_ahead]);
    LedgerAnswer& answer = answers.answers.emplace_back(
        LedgerAnswer{lookup.partition, lookup.epoch, lookup.key, {}, {}});
    const Part* part = find(lookup.partition, lookup.epoch);
    if (part == nullptr) continue;
    auto found = part->table.find(lookup.key);
    if (!found) continue;
    if (found->packed) {
      answer.parked = read_facts(*found->packed);
      if (lookup.with_parked) {
        found->entry.parked = unpack_own(*found->packed, lookup.key, form_);
      }
    }
    answer.entry = std::move(found->entry);
  }
  return answers;
}

DueChanges Ledger::take_due(const TakeDue& command) {
  DueChanges changes{command.partition, command.epoch, {}, {}};
  const auto part = parts_.find(command.partition);
  if (part == parts_.end() || part->second.epoch != command.epoch) return changes;
  LedgerTable& table = part->second.table;
  for (const MemberKey& key : table.take_due(command.until, command.at_most)) {
    auto entry = ledger::find(table, key, form_);
    ensure(entry.has_value());
    changes.due.emplace_back(key, std::move(*entry));
  }
  changes.next = table.next_due();
  return changes;
}

LedgerOfferings Ledger::list_offerings(const ListOfferings& command) const {
  LedgerOfferings list{.partition = command.partition, .epoch = command.epoch, .accepted = {}};
  const Part* part = find(command.partition, command.epoch);
  if (part != nullptr) list.accepted = part->table.accepted_offerings();
  return list;
}

void Ledger::make_due(const MakeDue& command) {
  const auto part = parts_.find(command.partition);
  if (part == parts_.end() || part->second.epoch != command.epoch) return;
  LedgerTable& table = part->second.table;
  if (table.parked() == 0) return;
  std::vector<std::pair<std::uint32_t, MemberKey>> keys;  // by attempts
  table.for_each([&](const MemberKey& key, const LedgerTable::Found& found) {
    if (!found.packed) return;
    if (command.organization && found.entry.organization != *command.organization) return;
    const auto facts = read_facts(*found.packed);
    const bool meant = facts && (facts->why == Reason::none || command.inactive_too);
    if (meant && facts->due > command.now) keys.emplace_back(facts->attempt, key);
  });
  if (keys.size() > command.at_most) {
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(command.at_most);
    std::nth_element(keys.begin(), end, keys.end());
    keys.erase(end, keys.end());
  }
  for (const auto& [attempts, key] : keys) {
    auto entry = ledger::find(table, key, form_);
    ensure(entry && entry->parked);
    auto parked = std::make_shared<ParkedChange>(*entry->parked);
    parked->due = command.now;
    entry->parked = std::move(parked);
    put(table, key, *entry, form_);
  }
}

void Ledger::apply(std::span<const LedgerWrite> writes) {
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const LedgerWrite& write = writes[i];
    if (i + fetched_ahead < writes.size()) fetch(writes[i + fetched_ahead]);
    const auto part = parts_.find(write.partition);
    if (part == parts_.end() || part->second.epoch != write.epoch) continue;
    put(part->second.table, write.key, write.entry, form_);
  }
}

Ledger::Figures Ledger::figures() const {
  Figures figures;
  for (const auto& [partition, part] : parts_) {
    figures.members += part.table.size();
    figures.parked += part.table.parked();
    figures.bytes += part.table.bytes();
    figures.parked_bytes += part.table.parked_bytes();
  }
  return figures;
}

}  // namespace helsekontakter::ledger

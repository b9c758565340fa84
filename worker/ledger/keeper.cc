#include "worker/ledger/keeper.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::ledger {

void LedgerKeeper::keep(Partition partition, Kept kept, std::size_t members_elsewhere,
                        TimePoint now) {
  items_.insert_or_assign(partition, Item{std::move(kept), now});
  drop(members_elsewhere, now);
}

std::optional<LedgerKeeper::Kept> LedgerKeeper::take(Partition partition, TimePoint now) {
  drop_old(now);
  auto item = items_.extract(partition);
  if (item.empty()) return std::nullopt;
  return std::move(item.mapped().kept);
}

void LedgerKeeper::drop(std::size_t members_elsewhere, TimePoint now) {
  drop_old(now);
  while (!items_.empty() && members() + members_elsewhere > limits_.members_max) drop_oldest();
}

void LedgerKeeper::drop_old(TimePoint now) {
  std::erase_if(items_,
                [&](const auto& item) { return now - item.second.since >= limits_.keep_for; });
}

void LedgerKeeper::drop_oldest() {
  const auto oldest = std::min_element(
      items_.begin(), items_.end(),
      [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
  items_.erase(oldest);
}

std::size_t LedgerKeeper::members() const {
  std::size_t members = 0;
  for (const auto& [partition, item] : items_) members += item.kept.table.size();
  return members;
}

}  // namespace helsekontakter::ledger

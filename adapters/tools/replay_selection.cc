#include "adapters/tools/replay_selection.h"

#include <algorithm>
#include <optional>

namespace helsekontakter::tools {

ReplaySelection::ReplaySelection(const kafka::Stretches& stretches, bool by_verdict)
    : stretches_(stretches), by_verdict_(by_verdict) {}

Result<void> ReplaySelection::offer(const MemberKey& key, std::int64_t version, Position position) {
  return rows_.add({.key = key,
                    .kind = Kind::offered,
                    .version = version,
                    .offset = position.offset,
                    .partition = static_cast<std::int32_t>(position.partition)});
}

Result<void> ReplaySelection::select(const MemberKey& key) {
  return rows_.add({.key = key, .kind = Kind::selected});
}

Result<void> ReplaySelection::leave_out(const MemberKey& key) {
  return rows_.add({.key = key, .kind = Kind::left_out});
}

Result<void> ReplaySelection::decide() {
  std::optional<MemberKey> key;
  bool open = false;
  return rows_.for_each([&](const Row& row) -> Result<void> {
    if (key != row.key) {
      key = row.key;
      open = !by_verdict_ || row.kind == Kind::selected;
      if (row.kind == Kind::left_out) {
        open = false;
        ++done_;
      }
    }
    if (row.kind != Kind::offered || !open) return {};
    choose({Partition{row.partition}, row.offset});
    open = false;
    return {};
  });
}

void ReplaySelection::choose(Position position) {
  const auto at =
      static_cast<std::size_t>(position.offset - stretches_.at(position.partition).from);
  std::vector<bool>& bits = bits_[position.partition];
  if (bits.size() <= at) bits.resize(at + 1);
  bits[at] = true;
  ++chosen_;
}

bool ReplaySelection::is_chosen(Position position) const {
  const auto bits = bits_.find(position.partition);
  if (bits == bits_.end()) return false;
  const Offset from = stretches_.at(position.partition).from;
  if (position.offset < from) return false;
  const auto at = static_cast<std::size_t>(position.offset - from);
  return at < bits->second.size() && bits->second[at];
}

kafka::Stretches ReplaySelection::narrowed() const {
  kafka::Stretches narrow;
  for (const auto& [partition, bits] : bits_) {
    const Offset from = stretches_.at(partition).from;
    const auto first = std::find(bits.begin(), bits.end(), true) - bits.begin();
    narrow[partition] = {from + first, from + static_cast<Offset>(bits.size())};
  }
  return narrow;
}

}  // namespace helsekontakter::tools

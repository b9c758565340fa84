#include "adapters/tools/audit_merge.h"

namespace helsekontakter::tools {

/// What is known of one event. Of a repeated one the records that are told are bounded.
struct AuditMerge::Group {
  Uuid id;
  std::uint64_t events = 0;
  std::uint64_t settled = 0;
  std::array<std::uint64_t, 4> counts{};
  std::vector<Position> first_settled;

  [[nodiscard]] std::uint64_t count(Kind kind) const {
    return counts.at(static_cast<std::size_t>(kind));
  }
};

AuditMerge::AuditMerge(bool inactive_is_final, std::size_t bytes_max)
    : inactive_is_final_(inactive_is_final),
      rows_(bytes_max),
      origins_(bytes_max),
      keys_(bytes_max) {}

Result<void> AuditMerge::add_event(const Uuid& terminal_id, Position position, bool settled,
                                   const std::optional<MemberKey>& key) {
  const auto partition = static_cast<std::int32_t>(position.partition);
  if (key) {
    const Seen seen{.key = *key, .partition = partition, .offset = position.offset};
    if (auto added = keys_.add(seen); !added) return added;
  }
  return rows_.add({.id = terminal_id,
                    .kind = Kind::event,
                    .settled = settled,
                    .partition = partition,
                    .offset = position.offset});
}

Result<void> AuditMerge::add_result(const Uuid& id, const Uuid& terminal_id, bool is_terminal,
                                    Position origin) {
  const auto partition = static_cast<std::int32_t>(origin.partition);
  const Origin from{
      .partition = partition, .offset = origin.offset, .id = id, .is_terminal = is_terminal};
  if (auto added = origins_.add(from); !added) return added;
  return rows_.add({.id = terminal_id,
                    .kind = is_terminal ? Kind::terminal : Kind::inactive,
                    .partition = partition,
                    .offset = origin.offset});
}

Result<void> AuditMerge::add_parked(const Uuid& terminal_id) {
  return rows_.add({.id = terminal_id, .kind = Kind::parked});
}

void AuditMerge::judge(const Group& group, AuditFindings& findings) const {
  if (group.events == 0) {
    findings.strays += group.count(Kind::terminal);
    return;
  }
  ++findings.events;
  findings.repeated += group.events - 1;
  const bool told_inactive = group.count(Kind::inactive) > 0;
  if (group.count(Kind::terminal) > 0 || (inactive_is_final_ && told_inactive)) {
    ++findings.concluded;
  } else if (group.count(Kind::parked) > 0) {
    ++findings.parked;
  } else if (group.settled == 0) {
    ++findings.waiting;
  } else {
    ++findings.gaps;
    for (const Position& position : group.first_settled) {
      if (findings.first_gaps.size() >= told_max) break;
      findings.first_gaps.push_back({position, told_inactive});
    }
  }
}

Result<void> AuditMerge::judge_events(AuditFindings& findings) {
  std::optional<Group> group;
  const auto end_group = [&] {
    if (group) judge(*group, findings);
  };
  auto done = rows_.for_each([&](const Row& row) -> Result<void> {
    if (!group || group->id != row.id) {
      end_group();
      group = Group{.id = row.id, .first_settled = {}};
    }
    ++group->counts.at(static_cast<std::size_t>(row.kind));
    if (row.kind != Kind::event) return {};
    ++group->events;
    if (!row.settled) return {};
    ++group->settled;
    if (group->first_settled.size() < told_max) {
      group->first_settled.push_back({Partition{row.partition}, row.offset});
    }
    return {};
  });
  end_group();
  return done;
}

/// More than one terminal result of one record, whatever their ids, or one result published twice.
Result<void> AuditMerge::judge_origins(AuditFindings& findings) {
  std::optional<Origin> last;
  std::uint32_t terminal = 0;
  std::uint32_t same = 0;
  const auto end_origin = [&] {
    if (!last || (terminal < 2 && same == 0)) return;
    ++findings.twice;
    if (findings.first_twice.size() >= told_max) return;
    findings.first_twice.push_back(
        {{Partition{last->partition}, last->offset}, std::max(terminal, same + 1)});
  };
  auto done = origins_.for_each([&](const Origin& origin) -> Result<void> {
    if (!last || last->partition != origin.partition || last->offset != origin.offset) {
      end_origin();
      terminal = 0;
      same = 0;
      last.reset();
    }
    if (origin.is_terminal) ++terminal;
    if (last && last->id == origin.id) ++same;
    last = origin;
    return {};
  });
  end_origin();
  return done;
}

Result<void> AuditMerge::judge_keys(AuditFindings& findings) {
  std::optional<AuditFindings::Wandered> key;
  const auto end_key = [&] {
    if (!key || key->first.size() < 2) return;
    ++findings.wandered;
    if (findings.first_wandered.size() < told_max) findings.first_wandered.push_back(*key);
  };
  auto done = keys_.for_each([&](const Seen& seen) -> Result<void> {
    if (!key || key->key != seen.key) {
      end_key();
      key = AuditFindings::Wandered{.key = seen.key, .first = {}};
    }
    const Partition partition{seen.partition};
    if (key->first.empty() || key->first.back().partition != partition) {
      key->first.push_back({partition, seen.offset});
    }
    return {};
  });
  end_key();
  return done;
}

Result<AuditFindings> AuditMerge::conclude() {
  AuditFindings findings;
  for (const auto step :
       {&AuditMerge::judge_events, &AuditMerge::judge_origins, &AuditMerge::judge_keys}) {
    if (auto done = (this->*step)(findings); !done) return tl::unexpected(done.error());
  }
  return findings;
}

}  // namespace helsekontakter::tools

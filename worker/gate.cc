// The gate: members of an organisation wait for its offerings, whoever reads these. The worker that
// owns an offering's partition has the say over it. It tells the others by the shared topic when it
// reads a change and when that is concluded; both may get lost with it, so the next owner corrects
// what it finds said (withdraw_offerings), and any owner what others say of its own.

#include "worker/worker.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace helsekontakter {
namespace {

/// Offerings not concluded that are remembered of others; beyond, the gate is ours alone.
constexpr std::size_t open_max = 100'000;
/// So often a change at hand is said to be open against others' word. One of them may be a worker
/// that lost the partition and does not know it yet; they must not go on for ever.
constexpr std::uint32_t insists_max = 3;

}  // namespace

/// An offering change is at hand from now on, before it is known whether there is more to do.
void Worker::open_offering(Slot slot) {
  const Held& held = slots_[slot];
  const Change& change = held.change();
  ++held.organization->offerings_open;
  if (!settings_.shares) return;
  const Partition number = held.position.partition;
  const auto known = open_offerings_.find(change.key);
  const bool is_known = known != open_offerings_.end() && known->second.partition == number;
  if (is_known && known->second.version >= change.version) return;
  OpenOffering offering{.organization = change.organization,
                        .partition = number,
                        .version = change.version,
                        .accepted = is_known && known->second.accepted};
  if (const PartitionState* partition = partition_of(number, held.epoch)) {
    const auto& accepted = partition->accepted_offerings;
    offering.accepted = offering.accepted || (accepted && accepted->contains(change.key));
  }
  keep_open(change.key, offering);
  tell_offering(change.key, offering, false);
}

/// A record that concludes an offering change is durable, or has failed.
void Worker::note_offering(const ConcludedOffering& offering, bool durable) {
  Organization& organization = *offering.organization;
  --organization.offerings_open;
  if (durable) {
    const auto partition = partitions_.find(offering.partition);
    if (offering.accepted && partition != partitions_.end() &&
        partition->second.accepted_offerings) {
      partition->second.accepted_offerings->insert(offering.key);
    }
    const auto known = open_offerings_.find(offering.key);
    const bool is_known = known != open_offerings_.end();
    if (is_known && offering.accepted) known->second.accepted = true;
    if (is_known && known->second.version <= offering.version && !is_at_hand(offering.key)) {
      const OpenOffering closed = known->second;
      drop_open(offering.key);
      tell_offering(offering.key, closed, true);
    }
    if (offering.accepted) note_accepted(organization.number);
  }
  gate_may_open(organization);
}

void Worker::tell_offering(const MemberKey& key, const OpenOffering& offering, bool concluded) {
  if (!settings_.shares) return;
  out_->facts.emplace_back(SharedOffering{.key = key,
                                          .organization = offering.organization,
                                          .partition = offering.partition,
                                          .version = offering.version,
                                          .concluded = concluded,
                                          .accepted = offering.accepted,
                                          .author = author_});
}

void Worker::keep_open(const MemberKey& key, const OpenOffering& offering) {
  const auto known = open_offerings_.find(key);
  if (known != open_offerings_.end() && known->second.organization == offering.organization) {
    known->second = offering;
    return;
  }
  drop_open(key);
  if (open_offerings_.size() >= open_max) return;
  open_offerings_.emplace(key, offering);
  const auto found = organizations_.find(offering.organization);
  if (found != organizations_.end()) ++found->second.offerings_told;
}

void Worker::drop_open(const MemberKey& key) {
  const auto known = open_offerings_.find(key);
  if (known == open_offerings_.end()) return;
  const auto found = organizations_.find(known->second.organization);
  open_offerings_.erase(known);
  if (found != organizations_.end()) --found->second.offerings_told;
}

/// What is said to be open of a partition that is ours, and is not at hand after everything was
/// read that an owner before us may have begun: its conclusion was not told, or it will be read.
void Worker::withdraw_offerings(Partition number, PartitionState& partition) {
  if (partition.recovering || partition.revoking || !partition.accepted_offerings) return;
  std::vector<std::pair<MemberKey, OpenOffering>> withdrawn;
  for (const auto& [key, offering] : open_offerings_) {
    if (offering.partition == number && !is_at_hand(key)) withdrawn.emplace_back(key, offering);
  }
  for (auto& [key, offering] : withdrawn) {
    offering.accepted = offering.accepted || partition.accepted_offerings->contains(key);
    drop_open(key);
    tell_offering(key, offering, true);
    const auto found = organizations_.find(offering.organization);
    if (found != organizations_.end()) gate_may_open(found->second);
  }
}

/// What the ledger of a partition knows, and nobody may have been told.
void Worker::take(LedgerOfferings& input) {
  PartitionState* partition = partition_of(input.partition, input.epoch);
  if (partition == nullptr) return;
  if (!partition->accepted_offerings) partition->accepted_offerings.emplace();
  for (const AcceptedOffering& accepted : input.accepted) {
    partition->accepted_offerings->insert(accepted.key);
    const auto known = open_offerings_.find(accepted.key);
    const bool is_open = known != open_offerings_.end();
    if (is_open) known->second.accepted = true;
    if (with_offering_.contains(accepted.organization)) continue;
    note_accepted(accepted.organization);
    tell_offering(accepted.key,
                  {.organization = accepted.organization,
                   .partition = input.partition,
                   .version = is_open ? known->second.version : accepted.version,
                   .accepted = true},
                  !is_open);
  }
  withdraw_offerings(input.partition, *partition);
}

void Worker::learn(const SharedOffering& fact, bool) {
  if (fact.author == author_) return;
  if (fact.accepted) note_accepted(fact.organization);
  const bool at_hand = is_at_hand(fact.key);
  const auto ours = partitions_.find(fact.partition);
  if (at_hand) {
    const auto known = open_offerings_.find(fact.key);
    if (!fact.concluded || known == open_offerings_.end()) return;
    if (known->second.insisted < insists_max) {
      ++known->second.insisted;
      tell_offering(fact.key, known->second, false);
    }
    return;
  }
  const OpenOffering said{.organization = fact.organization,
                          .partition = fact.partition,
                          .version = fact.version,
                          .accepted = fact.accepted};
  if (!fact.concluded) {
    keep_open(fact.key, said);
    if (ours != partitions_.end()) withdraw_offerings(fact.partition, ours->second);
    return;
  }
  drop_open(fact.key);
  const auto found = organizations_.find(fact.organization);
  if (found != organizations_.end()) gate_may_open(found->second);
}

/// The change itself, or one that hangs on it, is held here.
bool Worker::is_at_hand(const MemberKey& key) {
  const KeyState* state = keys_.find(key);
  return state != nullptr &&
         (state->waiting != Slots::none || state->is_excluded() || state->asking != Slots::none);
}

void Worker::note_accepted(OrganizationNumber number) {
  if (!with_offering_.insert(number).second) return;
  const auto found = organizations_.find(number);
  if (found == organizations_.end()) return;
  found->second.has_offering = true;
  gate_may_open(found->second);
}

/// What was parked in front of the gate is due when it opens.
void Worker::gate_may_open(Organization& organization) {
  if (!passes_gate(organization, Lane::members)) return;
  if (std::exchange(organization.gate_noticed, false)) {
    notice(Notice::Kind::gate_open, organization.number, std::nullopt,
           "members of organisation " + organization.number.digits() + " are submitted again");
  }
  if (organization.hold.held()) return;
  make_put_off_due(organization);
}

void Worker::notice_gate(Organization& organization) {
  if (std::exchange(organization.gate_noticed, true)) return;
  const bool lacks = settings_.gate == OfferingGate::required && !organization.has_offering;
  notice(Notice::Kind::gate_closed, organization.number, std::nullopt,
         "members of organisation " + organization.number.digits() +
             (lacks ? " wait: no offering of it was ever accepted (offering.gate: required). Send "
                      "its offering"
                    : " wait for an offering change of it that is not concluded. Look for holds, "
                      "and for a worker that is down"));
}

}  // namespace helsekontakter

// Foretelling: the ledger hears of a change before the endpoint does, where an older one waits that
// its source might deliver again without it.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <memory>
#include <utility>

namespace helsekontakter {
namespace {

bool is_older(const Held& hung, const Held& head) {
  return hung.as == ChainedAs::newer_version && hung.position.partition == head.position.partition;
}

}  // namespace

/// After a crash a queue may give back the older one first and the newer one, which the endpoint
/// may have had, long after it: the older would go out over the newer. A topic is read back in
/// order, up to what was submitted.
bool Worker::must_foretell(Slot slot) {
  const Held& held = slots_[slot];
  if (!settings_.foretells || held.chain == Slots::none) return false;
  const KeyState& key = key_of(slot);
  if (!key.ledger || key.parked == slot) return false;  // the ledger has it already
  for (Slot at = held.chain; at != Slots::none; at = slots_[at].next) {
    if (is_older(slots_[at], held)) return true;
  }
  return false;
}

/// Concludes the older ones that hang on the change and has the ledger remember the change itself,
/// as one record. Its own delivery stays open, and it goes on when the record is durable.
void Worker::foretell(Slot slot) {
  Held& held = slots_[slot];
  KeyState& key = key_of(slot);
  ensure(key.waiting == slot && !key.is_excluded());
  Slot older = std::exchange(held.chain, Slots::none);
  LedgerEntry& entry = *key.ledger;
  entry.parked = std::make_shared<const ParkedChange>(put_off(held, entry, {.wait = put_off_max}));
  write_entry(held);
  key.concluding = true;
  key.parked = slot;
  KeyState* frees_key = &key;
  while (older != Slots::none) {
    const Slot next = slots_[older].next;
    const Held& hung = slots_[older];
    if (is_older(hung, held) || hung.parked) {
      // The ledger lets a parked one go for this one, so it is told of now, of whatever version.
      const bool is_itself = hung.change().event == held.change().event;
      const bool is_equal = hung.as != ChainedAs::newer_version;
      Conclusion& conclusion = add_conclusion(
          older, Verdict::superseded, is_equal ? Reason::version_equal : Reason::newer_version,
          std::exchange(frees_key, nullptr));
      conclusion.successor = entry.parked;
      conclusion.publishes = !is_itself;
    } else {
      slots_[older].next = std::exchange(held.chain, older);
    }
    older = next;
  }
  (void)slots_.place(slot, Place::blocked);
}

}  // namespace helsekontakter

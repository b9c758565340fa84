#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/ensure.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

namespace helsekontakter {

/// Where a delivery that is not concluded yet stands.
enum class Place : std::uint8_t {
  free,       ///< the slot is empty
  fresh,      ///< just arrived
  asking,     ///< the ledger is asked about its key
  unready,    ///< its partition is read back first, or no durable promise covers it yet
  stalled,    ///< a finding behind a pulled brake
  queued,     ///< ready in its organisation's queue
  delayed,    ///< waits out the settle time after an unknown outcome of its key
  gathered,   ///< waits for its member's digital status
  grouped,    ///< part of a batch that is submitted again
  blocked,    ///< an earlier change of its key is under way or not durably concluded
  in_flight,  ///< part of a request
  chained,    ///< superseded; concluded together with its successor
};

/// How a chained change relates to its successor.
enum class ChainedAs : std::uint8_t { newer_version, version_equal, same };

struct KeyState;
struct Organization;

/// A delivery while the core holds it. Repeats what is asked of it again and again: the delivery
/// itself lies elsewhere, long out of the processor's caches when its turn comes.
struct Held {
  OwnedDelivery delivery;
  Position position;
  Epoch epoch{};
  KeyState* key = nullptr;  ///< of a change: its key's, which stays while a change of it is held
  Organization* organization = nullptr;  ///< of a change
  TimePoint since{};                     ///< when its place in the queue began to age
  std::uint32_t generation = 0;   ///< changes with every placement; makes stale references visible
  std::uint32_t chain = 0;        ///< first of the changes it supersedes; Slots::none
  std::uint32_t next = 0;         ///< in a chain; Slots::none
  std::uint32_t attempt = 0;      ///< requests it was part of
  std::uint32_t cost = 0;         ///< Delivery::cost()
  std::uint32_t entry_bytes = 0;  ///< of a change: in a Bundle, with the comma
  std::uint16_t entries = 0;      ///< of a change: Change::entries
  Lane lane = Lane::members;      ///< of a change
  bool is_change = false;
  bool parked = false;     ///< from the ledger: its delivery is settled already
  bool ask_first = false;  ///< its member's digital status, before it is submitted
  Place place = Place::free;
  ChainedAs as = ChainedAs::newer_version;

  [[nodiscard]] const Change& change() const { return std::get<Change>(delivery->content); }

  /// Asks for the memory of the delivery, which is needed soon.
  void fetch_delivery() const {
    constexpr std::size_t line = 64;
    const char* begin = reinterpret_cast<const char*>(delivery.get());
    for (std::size_t at = 0; at < sizeof(Delivery); at += line) __builtin_prefetch(begin + at);
  }

  /// Changes of one key swap what they are; both keep their places.
  void swap_delivery(Held& other) {
    std::swap(delivery, other.delivery);
    std::swap(position, other.position);
    std::swap(epoch, other.epoch);
    std::swap(attempt, other.attempt);
    std::swap(cost, other.cost);
    std::swap(entry_bytes, other.entry_bytes);
    std::swap(entries, other.entries);
    std::swap(parked, other.parked);
    std::swap(ask_first, other.ask_first);
  }
};

/// All deliveries that the core holds, addressed by a small number that stays the same.
class Slots {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot none = 0xffffffff;

  /// A reference that knows when its slot has moved on.
  struct Reference {
    Slot slot = none;
    std::uint32_t generation = 0;
  };

  [[nodiscard]] Slot add(Delivery&& delivery) {
    Slot slot = none;
    if (free_.empty()) {
      slot = static_cast<Slot>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Held& held = slots_[slot];
    held.position = delivery.position;
    held.epoch = delivery.epoch;
    held.cost = static_cast<std::uint32_t>(delivery.cost());
    held.is_change = false;
    if (const auto* change = std::get_if<Change>(&delivery.content)) {
      held.is_change = true;
      held.lane = change->lane;
      held.entries = change->entries;
      held.entry_bytes = static_cast<std::uint32_t>(delivery.texts[Texts::Field::entry].size() + 1);
    }
    held.delivery = std::make_unique<Delivery>(std::move(delivery));
    held.organization = nullptr;
    held.parked = held.ask_first = false;
    held.place = Place::fresh;
    held.as = ChainedAs::newer_version;
    held.key = nullptr;
    held.chain = held.next = none;
    held.attempt = 0;
    ++used_;
    return slot;
  }

  /// Gives the slot a place; what referred to it before does so no longer.
  Reference place(Slot slot, Place place) {
    Held& held = slots_[slot];
    held.place = place;
    return {slot, ++held.generation};
  }

  void remove(Slot slot) {
    ensure(slots_[slot].place != Place::free);
    place(slot, Place::free);
    slots_[slot].delivery.reset();
    free_.push_back(slot);
    --used_;
  }

  /// Asks for a slot's memory that is needed soon.
  void fetch(Slot slot) const { __builtin_prefetch(&slots_[slot]); }

  [[nodiscard]] Held& operator[](Slot slot) { return slots_[slot]; }
  [[nodiscard]] const Held& operator[](Slot slot) const { return slots_[slot]; }
  [[nodiscard]] bool holds(Reference reference) const {
    return slots_[reference.slot].generation == reference.generation;
  }
  [[nodiscard]] std::size_t used() const { return used_; }
  /// One more than the highest slot ever used; for walks over all of them.
  [[nodiscard]] Slot end() const { return static_cast<Slot>(slots_.size()); }

 private:
  std::deque<Held> slots_;
  std::vector<Slot> free_;
  std::size_t used_ = 0;
};

}  // namespace helsekontakter

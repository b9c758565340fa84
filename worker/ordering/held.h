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
  unready,    ///< its partition is read back first, or no durable promise covers it yet
  stalled,    ///< a finding behind a pulled brake
  queued,     ///< ready in its organisation's queue
  delayed,    ///< waits out the settle time after an unknown outcome of its key
  grouped,    ///< part of a batch that is submitted again
  blocked,    ///< an earlier change of its key is under way or not durably concluded
  in_flight,  ///< part of a request
  chained,    ///< superseded; concluded together with its successor
};

/// How a chained change relates to its successor.
enum class ChainedAs : std::uint8_t { newer_version, version_equal, same };

struct KeyState;

/// A delivery while the core holds it.
struct Held {
  Delivery delivery;
  Place place = Place::free;
  ChainedAs as = ChainedAs::newer_version;
  KeyState* key = nullptr;  ///< of a change: its key's, which stays while a change of it is held
  std::uint32_t generation = 0;  ///< changes with every placement; makes stale references visible
  std::uint32_t chain = 0;       ///< first of the changes it supersedes; Slots::none
  std::uint32_t next = 0;        ///< in a chain; Slots::none
  std::uint32_t attempt = 0;     ///< requests it was part of
  TimePoint since{};             ///< when its place in the queue began to age

  [[nodiscard]] const Change& change() const { return std::get<Change>(delivery.content); }
  [[nodiscard]] bool is_change() const { return std::holds_alternative<Change>(delivery.content); }
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
    held.delivery = std::move(delivery);
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
    slots_[slot].delivery = Delivery{};
    free_.push_back(slot);
    --used_;
  }

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

#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/ensure.h"
#include "worker/domain/fetch.h"
#include "worker/domain/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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
/// itself lies elsewhere, long out of the processor's caches when its turn comes. Begins at a cache
/// line, so that it takes two of them and no more.
struct alignas(64) Held {
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

  /// Asks for the memory of the delivery and of the key's state, which are needed soon.
  void fetch_delivery() const { fetch_lines(*delivery); }
  void fetch_key() const;

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
      slot = end_++;
      if (slot % slots_in_chunk == 0) chunks_.push_back(std::make_unique<Chunk>());
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Held& held = (*this)[slot];
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
    Held& held = (*this)[slot];
    held.place = place;
    return {slot, ++held.generation};
  }

  void remove(Slot slot) {
    ensure((*this)[slot].place != Place::free);
    place(slot, Place::free);
    (*this)[slot].delivery.reset();
    free_.push_back(slot);
    --used_;
  }

  /// Asks for a slot's memory that is needed soon.
  void fetch(Slot slot) const { fetch_lines((*this)[slot]); }
  /// The same for the slot that the add after `ahead` others will take.
  void fetch_free(std::size_t ahead) const {
    if (ahead < free_.size()) fetch(free_[free_.size() - 1 - ahead]);
  }

  [[nodiscard]] Held& operator[](Slot slot) {
    return (*chunks_[slot / slots_in_chunk])[slot % slots_in_chunk];
  }
  [[nodiscard]] const Held& operator[](Slot slot) const {
    return (*chunks_[slot / slots_in_chunk])[slot % slots_in_chunk];
  }
  [[nodiscard]] bool holds(Reference reference) const {
    return (*this)[reference.slot].generation == reference.generation;
  }
  [[nodiscard]] std::size_t used() const { return used_; }
  /// One more than the highest slot ever used; for walks over all of them.
  [[nodiscard]] Slot end() const { return end_; }

 private:
  static constexpr std::size_t slots_in_chunk = 1024;
  using Chunk = std::array<Held, slots_in_chunk>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  Slot end_ = 0;
  std::vector<Slot> free_;
  std::size_t used_ = 0;
};

}  // namespace helsekontakter

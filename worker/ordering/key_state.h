#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/delivery.h"
#include "worker/domain/time.h"
#include "worker/ordering/held.h"
#include "worker/ports/ledger.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace helsekontakter {

/// What is known of one member key. At most one change of it waits (the newest) and at most one is
/// under way; the others hang on one of these two as a chain. What every change needs lies in the
/// first cache line.
struct alignas(64) KeyState {
  MemberKey member;
  Slots::Slot waiting = Slots::none;
  Slots::Slot in_flight = Slots::none;
  TimePoint not_before{};  ///< a newer change waits out the settle time
  /// The newest conclusion: while `concluding`, not durable yet.
  std::int64_t concluded_version = -1;
  /// What the ledger says, and what is on its way to it. Null: not known.
  std::unique_ptr<LedgerEntry> ledger;
  Partition partition{};             ///< whose ledger it is
  Slots::Slot parked = Slots::none;  ///< its parked change, while it is at hand
  std::uint32_t index = 0;           ///< the table's
  bool concluding = false;           ///< its conclusion is not durable yet
  bool asked = false;                ///< a look-up is under way
  bool remembered = false;  ///< in the queue of idle keys, once; only its turn there erases it
  Slots::Slot asking = Slots::none;  ///< first of the changes that wait for the ledger's answer
  ContentDigest concluded_content;

  [[nodiscard]] bool is_excluded() const { return in_flight != Slots::none || concluding; }
  [[nodiscard]] bool is_idle() const { return waiting == Slots::none && !is_excluded() && !asked; }
};

inline void Held::fetch_key() const {
  fetch_lines(*key);
}

/// The keys at hand. A state keeps its address until it is erased. Open addressing, because a
/// million keys an hour pass through it: one bucket and one state are touched for each.
class KeyTable {
 public:
  /// The key's state; a new one where it is not at hand.
  [[nodiscard]] KeyState& operator[](const MemberKey& member);
  void erase(KeyState& state);
  [[nodiscard]] KeyState* find(const MemberKey& member);
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Asks for the memory of a key's bucket that is needed soon.
  void fetch_bucket(const MemberKey& member) const;
  /// The same for its state, when its bucket is here already.
  void fetch_state(const MemberKey& member) const;
  /// The same for the state that the key after `ahead` other new ones will take.
  void fetch_free(std::size_t ahead) const {
    if (ahead < free_.size()) fetch_lines(at(free_[free_.size() - 1 - ahead]));
  }

  /// Calls visit(state) for each, in an order that means nothing but is always the same.
  template <class Visit>
  void for_each(Visit visit) {
    for (const Bucket& bucket : buckets_) {
      if (bucket.index != empty) visit(at(bucket.index));
    }
  }

 private:
  static constexpr std::size_t states_in_chunk = 1024;
  static constexpr std::uint32_t empty = 0xffffffff;
  struct Bucket {
    std::uint32_t hash = 0;
    std::uint32_t index = empty;
  };
  using Chunk = std::array<KeyState, states_in_chunk>;

  [[nodiscard]] KeyState& at(std::uint32_t index) {
    return (*chunks_[index / states_in_chunk])[index % states_in_chunk];
  }
  [[nodiscard]] const KeyState& at(std::uint32_t index) const {
    return (*chunks_[index / states_in_chunk])[index % states_in_chunk];
  }
  void grow();
  [[nodiscard]] std::uint32_t take_free();

  std::vector<Bucket> buckets_;  // a power of two; at most three quarters are used
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace helsekontakter

#pragma once

#include "worker/ports/ledger.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace helsekontakter::ledger {

/// The ledger of one partition in memory: committed entries only, compact. Entries lie in segments
/// of 512, 72 bytes each, and never move for growth; an index of five bytes a place finds them by
/// open addressing, at most four of five places taken. So a member costs 79 to 85 bytes, growing
/// included, because an index is let go of before the next one is made. Parked changes are packed
/// bytes beside it (ledger/parked.h), ordered by when they are due. The same calls give the same
/// table and the same answers. One thread at a time; no limit of its own: the caller compares
/// size() and parked() with ledger.members_max and parked_max.
class LedgerTable {
 public:
  LedgerTable();
  LedgerTable(LedgerTable&&) noexcept = default;
  LedgerTable& operator=(LedgerTable&&) noexcept = default;

  /// A parked change as ledger::pack() made it.
  struct Parked {
    std::string_view packed;
    WallTime due{};
  };
  /// Replaces the whole entry of a key. `entry.parked` is not read; `parked` stands for it and is
  /// copied. It may be handed out, even if the one before was handed out already.
  void put(const MemberKey& key, const LedgerEntry& entry, const std::optional<Parked>& parked);
  bool erase(const MemberKey& key);

  struct Found {
    LedgerEntry entry;                       ///< `parked` is null
    std::optional<std::string_view> packed;  ///< until the next put or erase
  };
  [[nodiscard]] std::optional<Found> find(const MemberKey& key) const;
  /// Asks for the memory of a key's place that is needed soon.
  void fetch(const MemberKey& key) const;

  /// Keys whose parked change is due by `until`, the earliest first, equal ones in the order of
  /// their keys. Each is handed out once until it is put again.
  [[nodiscard]] std::vector<MemberKey> take_due(WallTime until, std::size_t at_most);
  /// When the next one that was not handed out is due.
  [[nodiscard]] std::optional<WallTime> next_due() const;
  /// Whatever was handed out may be handed out again.
  void rearm();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t parked() const { return parked_; }
  /// Bytes held for entries and index, spare places included.
  [[nodiscard]] std::size_t bytes() const;
  /// Bytes held for parked changes and their order, beside bytes().
  [[nodiscard]] std::size_t parked_bytes() const;

  /// Offerings of which some version was accepted once.
  [[nodiscard]] std::vector<AcceptedOffering> accepted_offerings() const;

  /// Calls visit(key, found) for each entry, in no order that means anything.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t at = 0; at < size_; ++at) visit(slot(at).key, found(slot(at)));
  }

 private:
  struct Slot {
    Slot(const MemberKey& its_key, OrganizationNumber its_organization)
        : key(its_key), organization(its_organization) {}
    MemberKey key;
    EventDigest event;
    ContentDigest content;
    std::int64_t version = 0;
    OrganizationNumber organization;
    std::uint32_t waiting = 0;  ///< one more than the index in waiting_; 0: nothing is parked
    std::uint16_t attempt = 0;
    std::uint16_t accepted_day = 0;  ///< since 1970; 0: never
    std::uint8_t verdict = 0;
    std::uint8_t reason = 0;
    std::uint8_t flags = 0;
  };
  static_assert(sizeof(Slot) == 72);

  struct Waiting {
    WallTime due{};
    std::unique_ptr<char[]> bytes;
    std::uint32_t size = 0;
    std::uint32_t slot = 0;
    std::uint32_t heap_at = not_in_heap;
  };
  static constexpr std::uint32_t not_in_heap = 0xffffffff;
  static constexpr std::size_t segment_size = 512;
  static constexpr std::size_t absent = static_cast<std::size_t>(-1);

  [[nodiscard]] const Slot& slot(std::size_t at) const {
    return segments_[at / segment_size][at % segment_size];
  }
  [[nodiscard]] Slot& slot(std::size_t at) {
    return segments_[at / segment_size][at % segment_size];
  }
  [[nodiscard]] Found found(const Slot& slot) const;

  [[nodiscard]] std::size_t place_of(const MemberKey& key) const;
  void insert_into_index(const MemberKey& key, std::uint32_t at);
  void remove_from_index(std::size_t place);
  void grow_index();
  std::size_t append(const MemberKey& key, const LedgerEntry& entry);
  void remove_last_slot();

  void park(Slot& slot, std::uint32_t at, const std::optional<Parked>& parked);
  void unpark(Slot& slot);
  [[nodiscard]] bool earlier(std::uint32_t left, std::uint32_t right) const;
  void place_in_heap(std::size_t heap_at, std::uint32_t waiting);
  void sift_up(std::size_t heap_at);
  void sift_down(std::size_t heap_at);
  void push_to_heap(std::uint32_t waiting);
  void remove_from_heap(std::size_t heap_at);

  std::vector<std::vector<Slot>> segments_;
  std::size_t size_ = 0;

  std::vector<std::uint8_t> tags_;        ///< 0: the place is free; else seven bits of the key
  std::vector<std::uint32_t> positions_;  ///< of the entry, for a place that is taken

  std::vector<Waiting> waiting_;
  std::vector<std::uint32_t> free_waiting_;
  std::vector<std::uint32_t> heap_;  ///< indices of waiting_, the earliest first
  std::size_t parked_ = 0;
  std::size_t packed_bytes_ = 0;
};

}  // namespace helsekontakter::ledger

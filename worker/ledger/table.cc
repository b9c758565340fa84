#include "worker/ledger/table.h"

#include "worker/domain/ensure.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace helsekontakter::ledger {
namespace {

constexpr std::size_t places_first = 64;
constexpr std::uint8_t slot_ever_accepted = 1;
constexpr std::uint8_t slot_offering = 2;
constexpr std::size_t bytes_beside_block = 16;  // what an allocator adds to a packed change

std::size_t hash_of(const MemberKey& key) {
  return DigestHash{}(key);
}

/// Other bits of the key than its place; never 0.
std::uint8_t tag_of(const MemberKey& key) {
  return static_cast<std::uint8_t>(key.bytes[8] | 0x80);
}

std::uint16_t days_of(std::chrono::sys_days day) {
  const auto count = day.time_since_epoch().count();
  return static_cast<std::uint16_t>(
      std::clamp<std::int64_t>(count, 0, std::numeric_limits<std::uint16_t>::max()));
}

}  // namespace

LedgerTable::LedgerTable() : tags_(places_first), positions_(places_first) {}

LedgerTable::Found LedgerTable::found(const Slot& slot) const {
  Found found{.entry = {.version = slot.version,
                        .event = slot.event,
                        .content = slot.content,
                        .verdict = static_cast<Verdict>(slot.verdict),
                        .reason = static_cast<Reason>(slot.reason),
                        .attempt = slot.attempt,
                        .accepted_on = std::chrono::sys_days{std::chrono::days{slot.accepted_day}},
                        .ever_accepted = (slot.flags & slot_ever_accepted) != 0,
                        .lane = (slot.flags & slot_offering) != 0 ? Lane::offerings : Lane::members,
                        .organization = slot.organization,
                        .parked = nullptr},
              .packed = {}};
  if (slot.waiting != 0) {
    const Waiting& waiting = waiting_[slot.waiting - 1];
    found.packed = std::string_view(waiting.bytes.get(), waiting.size);
  }
  return found;
}

std::vector<AcceptedOffering> LedgerTable::accepted_offerings() const {
  constexpr std::uint8_t wanted = slot_ever_accepted | slot_offering;
  std::vector<AcceptedOffering> accepted;
  for (std::size_t at = 0; at < size_; ++at) {
    const Slot& one = slot(at);
    if ((one.flags & wanted) != wanted) continue;
    accepted.push_back({one.key, one.organization, one.version});
  }
  return accepted;
}

void LedgerTable::put(const MemberKey& key, const LedgerEntry& entry,
                      const std::optional<Parked>& parked) {
  const std::size_t place = place_of(key);
  const std::size_t at = place == absent ? append(key, entry) : positions_[place];
  Slot& slot = this->slot(at);
  unpark(slot);
  slot.event = entry.event;
  slot.content = entry.content;
  slot.version = entry.version;
  slot.organization = entry.organization;
  slot.attempt = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(entry.attempt, std::numeric_limits<std::uint16_t>::max()));
  slot.accepted_day = days_of(entry.accepted_on);
  slot.verdict = static_cast<std::uint8_t>(entry.verdict);
  slot.reason = static_cast<std::uint8_t>(entry.reason);
  slot.flags = static_cast<std::uint8_t>((entry.ever_accepted ? slot_ever_accepted : 0) |
                                         (entry.lane == Lane::offerings ? slot_offering : 0));
  park(slot, static_cast<std::uint32_t>(at), parked);
}

std::optional<LedgerTable::Found> LedgerTable::find(const MemberKey& key) const {
  const std::size_t place = place_of(key);
  if (place == absent) return std::nullopt;
  return found(slot(positions_[place]));
}

void LedgerTable::fetch(const MemberKey& key) const {
  const std::size_t place = hash_of(key) & (tags_.size() - 1);
  __builtin_prefetch(&tags_[place]);
  __builtin_prefetch(&positions_[place]);
}

bool LedgerTable::erase(const MemberKey& key) {
  const std::size_t place = place_of(key);
  if (place == absent) return false;
  const std::uint32_t at = positions_[place];
  unpark(slot(at));
  remove_from_index(place);
  const std::size_t last = size_ - 1;
  if (at != last) {
    // The last entry fills the gap, so that the segments stay dense.
    Slot& gap = slot(at);
    gap = slot(last);
    positions_[place_of(gap.key)] = at;
    if (gap.waiting != 0) waiting_[gap.waiting - 1].slot = at;
  }
  remove_last_slot();
  return true;
}

std::size_t LedgerTable::append(const MemberKey& key, const LedgerEntry& entry) {
  ensure(size_ < std::numeric_limits<std::uint32_t>::max());
  if ((size_ + 1) * 5 > tags_.size() * 4) grow_index();
  if (size_ % segment_size == 0) segments_.emplace_back().reserve(segment_size);
  segments_.back().emplace_back(key, entry.organization);
  insert_into_index(key, static_cast<std::uint32_t>(size_));
  return size_++;
}

void LedgerTable::remove_last_slot() {
  segments_.back().pop_back();
  if (segments_.back().empty()) segments_.pop_back();
  --size_;
}

std::size_t LedgerTable::place_of(const MemberKey& key) const {
  const std::size_t mask = tags_.size() - 1;
  const std::uint8_t tag = tag_of(key);
  for (std::size_t place = hash_of(key) & mask; tags_[place] != 0; place = (place + 1) & mask) {
    if (tags_[place] == tag && slot(positions_[place]).key == key) return place;
  }
  return absent;
}

void LedgerTable::insert_into_index(const MemberKey& key, std::uint32_t at) {
  const std::size_t mask = tags_.size() - 1;
  std::size_t place = hash_of(key) & mask;
  while (tags_[place] != 0) place = (place + 1) & mask;
  tags_[place] = tag_of(key);
  positions_[place] = at;
}

/// Frees a place and moves back what would not be found across the gap.
void LedgerTable::remove_from_index(std::size_t place) {
  const std::size_t mask = tags_.size() - 1;
  std::size_t gap = place;
  for (std::size_t next = (gap + 1) & mask; tags_[next] != 0; next = (next + 1) & mask) {
    const std::size_t home = hash_of(slot(positions_[next]).key) & mask;
    if (((next - home) & mask) < ((next - gap) & mask)) continue;
    tags_[gap] = tags_[next];
    positions_[gap] = positions_[next];
    gap = next;
  }
  tags_[gap] = 0;
}

void LedgerTable::grow_index() {
  const std::size_t places = tags_.size() * 2;
  // The entries know their keys, so the old index is let go of before the new one is made.
  tags_ = {};
  positions_ = {};
  tags_.resize(places);
  positions_.resize(places);
  for (std::size_t at = 0; at < size_; ++at) {
    insert_into_index(slot(at).key, static_cast<std::uint32_t>(at));
  }
}

void LedgerTable::park(Slot& slot, std::uint32_t at, const std::optional<Parked>& parked) {
  if (!parked) return;
  ensure(parked->packed.size() <= std::numeric_limits<std::uint32_t>::max());
  std::uint32_t index = static_cast<std::uint32_t>(waiting_.size());
  if (free_waiting_.empty()) {
    waiting_.emplace_back();
  } else {
    index = free_waiting_.back();
    free_waiting_.pop_back();
  }
  Waiting& waiting = waiting_[index];
  const std::size_t size = parked->packed.size();
  waiting.due = parked->due;
  waiting.bytes.reset(new char[size]);
  std::memcpy(waiting.bytes.get(), parked->packed.data(), size);
  waiting.size = static_cast<std::uint32_t>(size);
  waiting.slot = at;
  slot.waiting = index + 1;
  ++parked_;
  packed_bytes_ += size + bytes_beside_block;
  push_to_heap(index);
}

void LedgerTable::unpark(Slot& slot) {
  if (slot.waiting == 0) return;
  const std::uint32_t index = slot.waiting - 1;
  Waiting& waiting = waiting_[index];
  if (waiting.heap_at != not_in_heap) remove_from_heap(waiting.heap_at);
  packed_bytes_ -= waiting.size + bytes_beside_block;
  waiting = {};
  free_waiting_.push_back(index);
  slot.waiting = 0;
  --parked_;
}

std::vector<MemberKey> LedgerTable::take_due(WallTime until, std::size_t at_most) {
  std::vector<MemberKey> due;
  while (due.size() < at_most && !heap_.empty() && waiting_[heap_[0]].due <= until) {
    due.push_back(slot(waiting_[heap_[0]].slot).key);
    remove_from_heap(0);
  }
  return due;
}

std::optional<WallTime> LedgerTable::next_due() const {
  if (heap_.empty()) return std::nullopt;
  return waiting_[heap_[0]].due;
}

void LedgerTable::rearm() {
  for (std::size_t index = 0; index < waiting_.size(); ++index) {
    if (waiting_[index].bytes && waiting_[index].heap_at == not_in_heap) {
      push_to_heap(static_cast<std::uint32_t>(index));
    }
  }
}

/// By due time, then by key: the order does not depend on how the table came about.
bool LedgerTable::earlier(std::uint32_t left, std::uint32_t right) const {
  const Waiting& a = waiting_[left];
  const Waiting& b = waiting_[right];
  if (a.due != b.due) return a.due < b.due;
  return slot(a.slot).key < slot(b.slot).key;
}

void LedgerTable::place_in_heap(std::size_t heap_at, std::uint32_t waiting) {
  heap_[heap_at] = waiting;
  waiting_[waiting].heap_at = static_cast<std::uint32_t>(heap_at);
}

void LedgerTable::sift_up(std::size_t heap_at) {
  const std::uint32_t moving = heap_[heap_at];
  while (heap_at > 0) {
    const std::size_t parent = (heap_at - 1) / 2;
    if (!earlier(moving, heap_[parent])) break;
    place_in_heap(heap_at, heap_[parent]);
    heap_at = parent;
  }
  place_in_heap(heap_at, moving);
}

void LedgerTable::sift_down(std::size_t heap_at) {
  const std::uint32_t moving = heap_[heap_at];
  for (std::size_t child = heap_at * 2 + 1; child < heap_.size(); child = heap_at * 2 + 1) {
    if (child + 1 < heap_.size() && earlier(heap_[child + 1], heap_[child])) ++child;
    if (!earlier(heap_[child], moving)) break;
    place_in_heap(heap_at, heap_[child]);
    heap_at = child;
  }
  place_in_heap(heap_at, moving);
}

void LedgerTable::push_to_heap(std::uint32_t waiting) {
  heap_.push_back(waiting);
  sift_up(heap_.size() - 1);
}

void LedgerTable::remove_from_heap(std::size_t heap_at) {
  waiting_[heap_[heap_at]].heap_at = not_in_heap;
  const std::uint32_t last = heap_.back();
  heap_.pop_back();
  if (heap_at == heap_.size()) return;
  place_in_heap(heap_at, last);
  sift_down(heap_at);
  sift_up(waiting_[last].heap_at);
}

std::size_t LedgerTable::bytes() const {
  return segments_.size() * segment_size * sizeof(Slot) +
         segments_.capacity() * sizeof(decltype(segments_)::value_type) +
         tags_.capacity() * (sizeof(tags_[0]) + sizeof(positions_[0]));
}

std::size_t LedgerTable::parked_bytes() const {
  return packed_bytes_ + waiting_.capacity() * sizeof(Waiting) +
         heap_.capacity() * sizeof(heap_[0]) + free_waiting_.capacity() * sizeof(free_waiting_[0]);
}

}  // namespace helsekontakter::ledger

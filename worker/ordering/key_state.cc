#include "worker/ordering/key_state.h"

#include "worker/domain/ensure.h"

#include <cstring>
#include <utility>

namespace helsekontakter {
namespace {

/// The bytes are a keyed hash already.
std::uint32_t hash_of(const MemberKey& member) {
  std::uint32_t hash = 0;
  std::memcpy(&hash, member.bytes.data(), sizeof hash);
  return hash;
}

}  // namespace

KeyState& KeyTable::operator[](const MemberKey& member) {
  if ((size_ + 1) * 4 > buckets_.size() * 3) grow();
  const std::uint32_t hash = hash_of(member);
  const std::size_t mask = buckets_.size() - 1;
  std::size_t here = hash & mask;
  for (; buckets_[here].index != empty; here = (here + 1) & mask) {
    if (buckets_[here].hash != hash) continue;
    KeyState& known = at(buckets_[here].index);
    if (known.member == member) return known;
  }
  const std::uint32_t index = take_free();
  buckets_[here] = {hash, index};
  ++size_;
  KeyState& fresh = at(index);
  fresh = KeyState{};
  fresh.member = member;
  fresh.index = index;
  return fresh;
}

void KeyTable::fetch_bucket(const MemberKey& member) const {
  if (!buckets_.empty()) __builtin_prefetch(&buckets_[hash_of(member) & (buckets_.size() - 1)]);
}

/// Of its own place only: another's state is asked for in vain, which does no harm.
void KeyTable::fetch_state(const MemberKey& member) const {
  if (buckets_.empty()) return;
  const Bucket& bucket = buckets_[hash_of(member) & (buckets_.size() - 1)];
  if (bucket.index != empty) fetch_lines(at(bucket.index));
}

KeyState* KeyTable::find(const MemberKey& member) {
  if (buckets_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(member);
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t here = hash & mask; buckets_[here].index != empty; here = (here + 1) & mask) {
    if (buckets_[here].hash != hash) continue;
    KeyState& known = at(buckets_[here].index);
    if (known.member == member) return &known;
  }
  return nullptr;
}

/// What follows the gap and may lie nearer to its own place moves up, so that no search ends early.
void KeyTable::erase(KeyState& state) {
  const std::size_t mask = buckets_.size() - 1;
  std::size_t gap = hash_of(state.member) & mask;
  while (buckets_[gap].index != state.index) {
    ensure(buckets_[gap].index != empty);
    gap = (gap + 1) & mask;
  }
  for (std::size_t next = (gap + 1) & mask; buckets_[next].index != empty;
       next = (next + 1) & mask) {
    const std::size_t home = buckets_[next].hash & mask;
    if (((next - home) & mask) < ((next - gap) & mask)) continue;
    buckets_[gap] = buckets_[next];
    gap = next;
  }
  buckets_[gap] = Bucket{};
  state.ledger.reset();
  free_.push_back(state.index);
  --size_;
}

std::uint32_t KeyTable::take_free() {
  if (free_.empty()) {
    const auto first = static_cast<std::uint32_t>(chunks_.size() * states_in_chunk);
    chunks_.push_back(std::make_unique<Chunk>());
    for (std::size_t i = states_in_chunk; i-- > 0;) {
      free_.push_back(first + static_cast<std::uint32_t>(i));
    }
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void KeyTable::grow() {
  std::vector<Bucket> larger(buckets_.empty() ? 1024 : buckets_.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const Bucket& bucket : buckets_) {
    if (bucket.index == empty) continue;
    std::size_t here = bucket.hash & mask;
    while (larger[here].index != empty) here = (here + 1) & mask;
    larger[here] = bucket;
  }
  buckets_ = std::move(larger);
}

}  // namespace helsekontakter

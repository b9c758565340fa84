// The table of keys at hand, against one that is known to be right.

#include "worker/domain/random.h"
#include "worker/ordering/key_state.h"

#include <cstring>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

/// Few different first halves, so that many keys want the same bucket.
MemberKey crowded_key(std::uint64_t number) {
  MemberKey key;
  const std::uint64_t halves[2] = {number % 7, number};
  std::memcpy(key.bytes.data(), halves, sizeof halves);
  return key;
}

class Crowding : public testing::TestWithParam<std::uint64_t> {
 protected:
  KeyTable table_;
  std::map<MemberKey, KeyState*> known_;
};

TEST_P(Crowding, KeepsEachStateAtItsAddressUntilItIsErased) {
  Random random(GetParam());
  for (int step = 0; step < 20'000; ++step) {
    // Grows for the first half, then shrinks.
    const std::uint64_t number = random.up_to(3'000);
    const MemberKey key = crowded_key(number);
    const bool adds = random.up_to(9) < (step < 10'000 ? 7u : 2u);
    const auto at = known_.find(key);
    KeyState* const found = table_.find(key);
    ASSERT_EQ(found, at == known_.end() ? nullptr : at->second);
    if (adds) {
      KeyState& state = table_[key];
      ASSERT_EQ(state.member, key);
      if (at == known_.end()) {
        ASSERT_EQ(state.concluded_version, -1) << "a state of the key before";
        state.concluded_version = static_cast<std::int64_t>(number);
        known_.emplace(key, &state);
      } else {
        ASSERT_EQ(&state, at->second);
      }
    } else if (found != nullptr) {
      table_.erase(*found);
      known_.erase(at);
    }
    ASSERT_EQ(table_.size(), known_.size());
  }
  for (const auto& [key, state] : known_) {
    ASSERT_EQ(table_.find(key), state);
    ASSERT_EQ(crowded_key(static_cast<std::uint64_t>(state->concluded_version)), key);
  }
}

TEST_P(Crowding, VisitsEachOnce) {
  Random random(GetParam());
  std::set<MemberKey> added;
  for (int i = 0; i < 2'000; ++i) {
    const MemberKey key = crowded_key(random.next());
    (void)table_[key];
    added.insert(key);
  }
  std::multiset<MemberKey> visited;
  table_.for_each([&](KeyState& state) { visited.insert(state.member); });
  EXPECT_EQ(visited, std::multiset<MemberKey>(added.begin(), added.end()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Crowding, testing::Values(1, 2, 3));

}  // namespace
}  // namespace helsekontakter

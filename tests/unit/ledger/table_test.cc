#include "worker/ledger/table.h"

#include "tests/unit/ledger/samples.h"
#include "worker/domain/random.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace helsekontakter::ledger {
namespace {

using samples::at;
using samples::entry;
using samples::key;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

LedgerTable::Parked due_at(WallTime due, std::string_view packed = "packed") {
  return {.packed = packed, .due = due};
}

TEST(LedgerTable, TheLastPutOfAKeyWins) {
  LedgerTable table;
  table.put(key(1), entry(5), {});
  table.put(key(2), entry(1, Verdict::rejected), {});
  table.put(key(1), entry(4), {});
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.find(key(1))->entry, entry(4));
  EXPECT_EQ(table.find(key(2))->entry, entry(1, Verdict::rejected));
  EXPECT_FALSE(table.find(key(3)));
}

TEST(LedgerTable, KeepsEveryFieldOfAnEntry) {
  LedgerEntry odd = entry(9'007'199'254'740'991, Verdict::expired);
  odd.reason = Reason::version_equal;
  odd.attempt = 65'535;
  odd.accepted_on = std::chrono::sys_days{};
  odd.ever_accepted = false;
  odd.lane = Lane::offerings;
  odd.organization = *OrganizationNumber::parse("974761076");
  LedgerTable table;
  table.put(key(1), odd, {});
  EXPECT_EQ(table.find(key(1))->entry, odd);
}

TEST(LedgerTable, CountsAttemptsNoFurtherThanItCan) {
  LedgerEntry tried = entry(1);
  tried.attempt = 70'000;
  LedgerTable table;
  table.put(key(1), tried, {});
  EXPECT_EQ(table.find(key(1))->entry.attempt, 65'535U);
}

TEST(LedgerTable, HandsOutWhatIsDueTheEarliestFirst) {
  LedgerTable table;
  for (const int seconds : {50, 10, 40, 20, 30}) {
    table.put(key(static_cast<std::uint64_t>(seconds)), entry(1), due_at(at(1s * seconds)));
  }
  EXPECT_EQ(table.next_due(), at(10s));
  EXPECT_THAT(table.take_due(at(9s), 10), IsEmpty());
  EXPECT_THAT(table.take_due(at(40s), 3), ElementsAre(key(10), key(20), key(30)));
  EXPECT_EQ(table.next_due(), at(40s));
  EXPECT_THAT(table.take_due(at(99s), 10), ElementsAre(key(40), key(50)));
  EXPECT_EQ(table.next_due(), std::nullopt);
  EXPECT_EQ(table.parked(), 5U);
}

TEST(LedgerTable, HandsNothingOutTwiceUntilItIsPutAgain) {
  LedgerTable table;
  table.put(key(1), entry(1), due_at(at(1s), "first"));
  EXPECT_THAT(table.take_due(at(5s), 10), ElementsAre(key(1)));
  EXPECT_EQ(table.find(key(1))->packed, "first");
  EXPECT_THAT(table.take_due(at(5s), 10), IsEmpty());
  table.put(key(1), entry(1), due_at(at(4s), "second"));
  EXPECT_THAT(table.take_due(at(5s), 10), ElementsAre(key(1)));
  EXPECT_EQ(table.find(key(1))->packed, "second");
  table.put(key(1), entry(2), {});
  EXPECT_THAT(table.take_due(at(5s), 10), IsEmpty());
  EXPECT_EQ(table.find(key(1))->packed, std::nullopt);
  EXPECT_EQ(table.parked(), 0U);
}

TEST(LedgerTable, HandsOutAgainWhenItIsRearmed) {
  LedgerTable table;
  table.put(key(1), entry(1), due_at(at(1s)));
  table.put(key(2), entry(1), due_at(at(2s)));
  EXPECT_THAT(table.take_due(at(1s), 10), ElementsAre(key(1)));
  table.rearm();
  table.rearm();
  EXPECT_THAT(table.take_due(at(2s), 10), ElementsAre(key(1), key(2)));
}

TEST(LedgerTable, HandsOutEqualTimesInTheOrderOfTheirKeysWhateverTheHistory) {
  std::set<MemberKey> sorted;
  LedgerTable forward;
  LedgerTable backward;
  for (std::uint64_t i = 0; i < 100; ++i) {
    sorted.insert(key(i));
    forward.put(key(i), entry(1), due_at(at(1s)));
    backward.put(key(99 - i), entry(1), due_at(at(1s)));
  }
  const std::vector<MemberKey> expected(sorted.begin(), sorted.end());
  EXPECT_EQ(forward.take_due(at(1s), 100), expected);
  EXPECT_EQ(backward.take_due(at(1s), 100), expected);
}

TEST(LedgerTable, ForgetsWhatIsErased) {
  LedgerTable table;
  for (std::uint64_t i = 0; i < 3; ++i) table.put(key(i), entry(1), due_at(at(1s * i)));
  EXPECT_TRUE(table.erase(key(1)));
  EXPECT_FALSE(table.erase(key(1)));
  EXPECT_FALSE(table.find(key(1)));
  EXPECT_THAT(table.take_due(at(9s), 10), ElementsAre(key(0), key(2)));
  EXPECT_EQ(table.size(), 2U);
}

TEST(LedgerTable, TakesAtMost96BytesForAMemberWhileItGrows) {
  LedgerTable table;
  std::size_t worst = 0;
  for (std::uint64_t i = 1; i <= 300'000; ++i) {
    table.put(key(i), entry(1), {});
    if (i >= 10'000) worst = std::max(worst, table.bytes() * 100 / i);
  }
  EXPECT_LE(worst, 9600U);
  EXPECT_EQ(table.parked_bytes(), 0U);
}

/// One random history against a std::map, so that each way through the table is taken.
class AgainstAMap : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  struct Model {
    LedgerEntry entry;
    std::optional<std::pair<WallTime, std::string>> parked;
    bool handed_out = false;
  };

  void put() {
    Model model{.entry = entry(static_cast<std::int64_t>(random_.up_to(9))), .parked = {}};
    if (random_.up_to(1) == 0) {
      model.parked.emplace(at(1s * random_.up_to(50)), std::string(random_.up_to(40), 'p'));
    }
    const MemberKey chosen = key(random_.up_to(members_));
    table_.put(chosen, model.entry,
               model.parked ? std::optional(due_at(model.parked->first, model.parked->second))
                            : std::nullopt);
    model_.insert_or_assign(chosen, std::move(model));
  }

  void erase() {
    const MemberKey chosen = key(random_.up_to(members_));
    EXPECT_EQ(table_.erase(chosen), model_.erase(chosen) == 1);
  }

  void take_due() {
    const WallTime until = at(1s * random_.up_to(50));
    const std::size_t at_most = random_.up_to(5);
    std::map<std::pair<WallTime, MemberKey>, Model*> order;
    for (auto& [each, model] : model_) {
      if (model.parked && !model.handed_out && model.parked->first <= until) {
        order[{model.parked->first, each}] = &model;
      }
    }
    std::vector<MemberKey> expected;
    for (const auto& [place, model] : order) {
      if (expected.size() == at_most) break;
      expected.push_back(place.second);
      model->handed_out = true;
    }
    EXPECT_EQ(table_.take_due(until, at_most), expected);
  }

  void compare() const {
    std::size_t parked = 0;
    std::optional<WallTime> next;
    for (const auto& [each, model] : model_) {
      const auto found = table_.find(each);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->entry, model.entry);
      ASSERT_EQ(found->packed.has_value(), model.parked.has_value());
      if (!model.parked) continue;
      EXPECT_EQ(*found->packed, model.parked->second);
      ++parked;
      if (!model.handed_out) next = std::min(next.value_or(WallTime::max()), model.parked->first);
    }
    EXPECT_EQ(table_.size(), model_.size());
    EXPECT_EQ(table_.parked(), parked);
    EXPECT_EQ(table_.next_due(), next);
    std::size_t visited = 0;
    table_.for_each([&](const MemberKey& each, const LedgerTable::Found& found) {
      EXPECT_EQ(found.entry, model_.at(each).entry);
      ++visited;
    });
    EXPECT_EQ(visited, model_.size());
  }

  LedgerTable table_;
  std::map<MemberKey, Model> model_;
  Random random_{GetParam()};
  std::uint64_t members_ = 1 << (2 + GetParam() % 9);
};

TEST_P(AgainstAMap, ATableDoesWhatAMapDoes) {
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t erasing = random_.up_to(60);
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t chosen = random_.up_to(99);
      if (chosen < erasing) {
        erase();
      } else if (chosen < 70) {
        put();
      } else {
        take_due();
      }
    }
    if (random_.up_to(3) == 0) {
      table_.rearm();
      for (auto& [each, model] : model_) model.handed_out = false;
    }
    ASSERT_NO_FATAL_FAILURE(compare());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstAMap, ::testing::Range<std::uint64_t>(1, 19));

}  // namespace
}  // namespace helsekontakter::ledger

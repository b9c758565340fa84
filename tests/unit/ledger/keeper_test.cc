#include "worker/ledger/keeper.h"

#include "tests/unit/ledger/samples.h"

#include <gtest/gtest.h>

namespace helsekontakter::ledger {
namespace {

using samples::entry;
using samples::key;
using namespace std::chrono_literals;

constexpr Partition p0{0};
constexpr Partition p1{1};
constexpr Partition p2{2};
constexpr TimePoint start{};

LedgerKeeper::Kept table_of(std::uint64_t members, Offset position) {
  LedgerKeeper::Kept kept{{}, position};
  for (std::uint64_t i = 0; i < members; ++i) kept.table.put(key(i), entry(1), {});
  return kept;
}

TEST(LedgerKeeper, HandsATableBackOnce) {
  LedgerKeeper keeper({});
  keeper.keep(p0, table_of(3, 70), 0, start);
  EXPECT_FALSE(keeper.take(p1, start));
  const auto kept = keeper.take(p0, start + 59min);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->position, 70);
  EXPECT_EQ(kept->table.size(), 3U);
  EXPECT_FALSE(keeper.take(p0, start + 59min));
}

TEST(LedgerKeeper, ForgetsATableAfterAnHour) {
  LedgerKeeper keeper({});
  keeper.keep(p0, table_of(3, 70), 0, start);
  keeper.keep(p1, table_of(2, 70), 0, start + 1min);
  keeper.drop(0, start + 1h - 1ms);
  EXPECT_EQ(keeper.members(), 5U);
  keeper.drop(0, start + 1h);
  EXPECT_EQ(keeper.members(), 2U) << "without being asked for a table";
  EXPECT_FALSE(keeper.take(p0, start + 1h));
  EXPECT_EQ(keeper.members(), 2U);
}

TEST(LedgerKeeper, KeepsTheLatestOfAPartition) {
  LedgerKeeper keeper({});
  keeper.keep(p0, table_of(3, 70), 0, start);
  keeper.keep(p0, table_of(4, 90), 0, start + 1s);
  EXPECT_EQ(keeper.take(p0, start + 2s)->position, 90);
}

TEST(LedgerKeeper, GivesUpTheOldestAtTheLimit) {
  LedgerKeeper keeper({.members_max = 10});
  keeper.keep(p1, table_of(4, 1), 0, start);
  keeper.keep(p0, table_of(4, 2), 0, start + 1s);
  EXPECT_EQ(keeper.members(), 8U);
  keeper.keep(p2, table_of(2, 3), 1, start + 2s);
  EXPECT_EQ(keeper.members(), 6U);
  EXPECT_FALSE(keeper.take(p1, start + 2s));
  EXPECT_TRUE(keeper.take(p0, start + 2s));
  keeper.keep(p1, table_of(1, 4), 10, start + 3s);
  EXPECT_EQ(keeper.members(), 0U) << "the tables in use come first";
  keeper.keep(p1, table_of(5, 5), 5, start + 4s);
  keeper.drop(5, start + 5s);
  EXPECT_EQ(keeper.members(), 5U);
  keeper.drop(6, start + 5s);
  EXPECT_EQ(keeper.members(), 0U) << "also when they grow";
}

}  // namespace
}  // namespace helsekontakter::ledger

#include "adapters/tools/external_sort.h"

#include <numeric>

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

using ::testing::ElementsAre;

struct Row {
  std::uint64_t key = 0;
  std::uint64_t value = 0;
  friend bool operator<(const Row& a, const Row& b) {
    return std::pair(a.key, a.value) < std::pair(b.key, b.value);
  }
};

std::vector<std::uint64_t> values_of(ExternalSort<Row>& sort) {
  std::vector<std::uint64_t> values;
  EXPECT_TRUE(sort.for_each([&](const Row& row) -> Result<void> {
    values.push_back(row.value);
    return {};
  }));
  return values;
}

/// Rows in an order that is none, in memory for `rows_max` of them.
ExternalSort<Row> filled(std::uint64_t rows, std::uint64_t rows_max) {
  ExternalSort<Row> sort(rows_max * sizeof(Row));
  for (std::uint64_t i = 0; i < rows; ++i) {
    const std::uint64_t value = i * 7919 % rows;  // rows has no factor in common with it
    EXPECT_TRUE(sort.add({value, value}));
  }
  return sort;
}

TEST(ExternalSort, SortsWhatFitsIntoMemory) {
  ExternalSort<Row> sort = filled(5, 100);
  EXPECT_THAT(values_of(sort), ElementsAre(0, 1, 2, 3, 4));
}

TEST(ExternalSort, SortsFarMoreThanFitsIntoMemory) {
  ExternalSort<Row> sort = filled(100'000, 300);
  std::vector<std::uint64_t> all(100'000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(values_of(sort), all);
  EXPECT_EQ(sort.size(), 100'000);
}

TEST(ExternalSort, CanBeReadAgainAndAddedToBetween) {
  ExternalSort<Row> sort = filled(10, 3);
  EXPECT_EQ(values_of(sort).size(), 10);
  ASSERT_TRUE(sort.add({4, 100}));
  EXPECT_THAT(values_of(sort), ElementsAre(0, 1, 2, 3, 4, 100, 5, 6, 7, 8, 9));
}

TEST(ExternalSort, HandsOutTheFirstOfEachGroup) {
  ExternalSort<Row> sort(2 * sizeof(Row));
  for (const Row& row : {Row{2, 9}, Row{1, 5}, Row{2, 7}, Row{1, 6}, Row{3, 1}}) {
    ASSERT_TRUE(sort.add(row));
  }
  std::vector<std::uint64_t> values;
  ASSERT_TRUE(sort.for_first_of_each([](const Row& a, const Row& b) { return a.key == b.key; },
                                     [&](const Row& row) -> Result<void> {
                                       values.push_back(row.value);
                                       return {};
                                     }));
  EXPECT_THAT(values, ElementsAre(5, 7, 1));
}

TEST(ExternalSort, EndsWithTheFaultOfWhoeverVisits) {
  ExternalSort<Row> sort = filled(10, 3);
  std::size_t seen = 0;
  const auto ended = sort.for_each([&](const Row&) -> Result<void> {
    if (++seen == 4) return fail(Remedy::stop, "enough");
    return {};
  });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "enough");
  EXPECT_EQ(seen, 4);
}

}  // namespace
}  // namespace helsekontakter::tools

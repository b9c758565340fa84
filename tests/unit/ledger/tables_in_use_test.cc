#include "tests/unit/ledger/samples.h"
#include "worker/ledger/ledger.h"

#include <vector>

#include <gmock/gmock.h>

namespace helsekontakter::ledger {
namespace {

using samples::at;
using samples::entry;
using samples::key;
using samples::parked;
using namespace std::chrono_literals;

constexpr Partition p0{0};
constexpr Partition p1{1};
constexpr Epoch now{7};
constexpr Epoch before{6};

std::vector<LedgerWrite> one(const MemberKey& which, LedgerEntry what, Partition partition = p0,
                             Epoch epoch = now) {
  return {{partition, epoch, which, std::move(what)}};
}

class LedgerInUse : public ::testing::Test {
 protected:
  LedgerInUse() {
    ledger.assign(p0, now, {});
    ledger.assign(p1, now, {});
  }
  LedgerAnswer look_up(const MemberKey& which, bool with_parked = false, Partition partition = p0,
                       Epoch epoch = now) {
    const std::vector<LedgerLookup> lookups{{partition, epoch, which, with_parked}};
    return ledger.look_up(lookups).answers.at(0);
  }
  Ledger ledger{BundleForm{}};
};

TEST_F(LedgerInUse, AnswersWhatBecameDurable) {
  ledger.apply(one(key(1), entry(5)));
  EXPECT_EQ(look_up(key(1)).entry, entry(5));
  EXPECT_EQ(look_up(key(2)).entry, std::nullopt);
  EXPECT_EQ(look_up(key(1), false, p1).entry, std::nullopt);
}

TEST_F(LedgerInUse, AnswersEachLookUpInItsOrder) {
  ledger.apply(one(key(1), entry(5)));
  ledger.apply(one(key(2), entry(6), p1));
  const std::vector<LedgerLookup> lookups{{p1, now, key(2)}, {p0, now, key(3)}, {p0, now, key(1)}};
  const auto answers = ledger.look_up(lookups).answers;
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].entry, entry(6));
  EXPECT_EQ(answers[1].entry, std::nullopt);
  EXPECT_EQ(answers[1].key, key(3));
  EXPECT_EQ(answers[2].entry, entry(5));
}

TEST_F(LedgerInUse, HandsAParkedChangeOverOnlyWhenAskedTo) {
  const LedgerEntry waits = parked(key(1), 5, at(9s));
  ledger.apply(one(key(1), waits));
  const LedgerAnswer brief = look_up(key(1));
  EXPECT_EQ(brief.entry->parked, nullptr);
  ASSERT_TRUE(brief.parked);
  EXPECT_EQ(brief.parked->version, 5);
  EXPECT_EQ(brief.parked->due, at(9s));
  EXPECT_EQ(look_up(key(1), true).entry, waits);
}

TEST_F(LedgerInUse, KnowsNothingUnderAnEpochThatIsOver) {
  ledger.apply(one(key(1), entry(5)));
  EXPECT_EQ(look_up(key(1), false, p0, before).entry, std::nullopt);
  ledger.apply(one(key(1), entry(4), p0, before));
  EXPECT_EQ(look_up(key(1)).entry, entry(5));
  EXPECT_TRUE(ledger.take_due({p0, before, at(9s), 10}).due.empty());
}

TEST_F(LedgerInUse, HandsDueChangesOutWithTheirEntries) {
  const LedgerEntry late = parked(key(1), 5, at(9s));
  const LedgerEntry early = parked(key(2), 6, at(3s));
  ledger.apply(one(key(1), late));
  ledger.apply(one(key(2), early));
  const DueChanges due = ledger.take_due({p0, now, at(5s), 10});
  ASSERT_EQ(due.due.size(), 1U);
  EXPECT_EQ(due.due[0].first, key(2));
  EXPECT_EQ(due.due[0].second, early);
  EXPECT_EQ(due.next, at(9s));
  EXPECT_EQ(ledger.take_due({p1, now, at(99s), 10}).next, std::nullopt);
}

TEST_F(LedgerInUse, HandsOutAgainAfterAnAssignmentOfTheSameTable) {
  ledger.apply(one(key(1), parked(key(1), 5, at(1s))));
  EXPECT_EQ(ledger.take_due({p0, now, at(1s), 10}).due.size(), 1U);
  EXPECT_EQ(ledger.take_due({p0, now, at(1s), 10}).due.size(), 0U);
  auto table = ledger.release(p0);
  ASSERT_TRUE(table);
  EXPECT_FALSE(ledger.release(p0));
  ledger.assign(p0, Epoch{8}, std::move(*table));
  EXPECT_EQ(ledger.take_due({p0, Epoch{8}, at(1s), 10}).due.size(), 1U);
}

TEST_F(LedgerInUse, CountsMembersAndParkedChangesOfAllPartitions) {
  ledger.apply(one(key(1), entry(5)));
  ledger.apply(one(key(2), parked(key(2), 5, at(1s)), p1));
  EXPECT_EQ(ledger.figures().members, 2U);
  EXPECT_EQ(ledger.figures().parked, 1U);
  EXPECT_GT(ledger.figures().parked_bytes, 0U);
}

TEST(TablesInUse, MakeDueWhatCouldNotBeSubmittedAndNothingElse) {
  Ledger ledger{BundleForm{}};
  ledger.assign(p0, now, LedgerTable());
  LedgerEntry inactive = parked(key(1), 3, at(10h));
  LedgerEntry held = parked(key(2), 3, at(10h));
  auto waiting = std::make_shared<ParkedChange>(*held.parked);
  waiting->why = Reason::none;
  held.parked = waiting;
  ledger.apply(one(key(1), inactive));
  ledger.apply(one(key(2), held));
  const auto other = *OrganizationNumber::parse("993467049");
  ledger.make_due({.partition = p0, .epoch = now, .organization = other, .now = at(1h)});
  EXPECT_TRUE(ledger.take_due({p0, now, at(1h), 10}).due.empty());
  ledger.make_due({.partition = p0, .epoch = before, .organization = {}, .now = at(1h)});
  EXPECT_TRUE(ledger.take_due({p0, now, at(1h), 10}).due.empty())
      << "of an assignment that is over";
  ledger.make_due(
      {.partition = p0, .epoch = now, .organization = samples::organization(), .now = at(1h)});
  const DueChanges due = ledger.take_due({p0, now, at(1h), 10});
  ASSERT_EQ(due.due.size(), 1u);
  EXPECT_EQ(due.due.front().first, key(2));
  EXPECT_EQ(due.due.front().second.parked->due, at(1h));
  EXPECT_EQ(due.next, at(10h));
}

TEST(TablesInUse, MakeNoMoreDueThanAskedForAndThoseThatWereTriedLeast) {
  Ledger ledger{BundleForm{}};
  ledger.assign(p0, now, LedgerTable());
  for (int i = 1; i <= 5; ++i) {
    LedgerEntry entry = parked(key(i), 3, at(10h));
    auto tried = std::make_shared<ParkedChange>(*entry.parked);
    tried->attempt = static_cast<std::uint32_t>(i == 2 || i == 4 ? 0 : 7);
    entry.parked = tried;
    ledger.apply(one(key(i), entry));
  }
  ledger.make_due({.partition = p0,
                   .epoch = now,
                   .organization = {},
                   .now = at(1h),
                   .inactive_too = true,
                   .at_most = 2});
  const DueChanges due = ledger.take_due({p0, now, at(1h), 10});
  ASSERT_EQ(due.due.size(), 2u);
  for (const auto& [member, entry] : due.due) EXPECT_EQ(entry.parked->attempt, 0u);
}

}  // namespace
}  // namespace helsekontakter::ledger

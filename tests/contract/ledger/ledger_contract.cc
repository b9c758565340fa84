#include "tests/contract/ledger/ledger_contract.h"

#include "tests/unit/ledger/samples.h"
#include "worker/ledger/ledger.h"

#include <optional>
#include <utility>

#include <gmock/gmock.h>

namespace helsekontakter::ledger {

using samples::at;
using samples::entry;
using samples::key;
using samples::parked;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

namespace {

constexpr Partition p0{0};
constexpr Partition p1{1};

LedgerWrite write_of(const MemberKey& key, LedgerEntry entry, Partition partition = p0) {
  return {partition, Epoch{1}, key, std::move(entry)};
}

std::vector<MemberKey> keys_of(const DueChanges& due) {
  std::vector<MemberKey> keys;
  for (const auto& [key, entry] : due.due) keys.push_back(key);
  return keys;
}

}  // namespace

void LedgerContract::write(const MemberKey& key, LedgerEntry entry, Partition partition) {
  ledger_->write({write_of(key, std::move(entry), partition)});
}

std::optional<LedgerEntry> LedgerContract::found(const MemberKey& key, Partition partition) {
  ledger_->restart();
  return find(ledger_->restore(partition), key, BundleForm{});
}

TEST_P(LedgerContract, ANewOneIsEmpty) {
  EXPECT_EQ(ledger_->restore(p0).size(), 0U);
  EXPECT_EQ(found(key(1)), std::nullopt);
}

TEST_P(LedgerContract, WhatWasWrittenIsThereAfterARestart) {
  const LedgerEntry rejected = entry(3, Verdict::rejected);
  ledger_->write({write_of(key(1), entry(5)), write_of(key(2), rejected)});
  EXPECT_EQ(found(key(1)), entry(5));
  EXPECT_EQ(found(key(2)), rejected);
  EXPECT_EQ(found(key(3)), std::nullopt);
}

TEST_P(LedgerContract, TheLastWriteOfAKeyWins) {
  ledger_->write({write_of(key(1), entry(5)), write_of(key(1), entry(6))});
  EXPECT_EQ(found(key(1)), entry(6));
  write(key(1), entry(4));
  EXPECT_EQ(found(key(1)), entry(4));
  EXPECT_EQ(ledger_->restore(p0).size(), 1U);
}

TEST_P(LedgerContract, PartitionsAreApart) {
  ledger_->write({write_of(key(1), entry(5), p0), write_of(key(1), entry(7), p1)});
  EXPECT_EQ(found(key(1), p0), entry(5));
  EXPECT_EQ(found(key(1), p1), entry(7));
}

TEST_P(LedgerContract, AParkedChangeSurvivesWhole) {
  const LedgerEntry waits = parked(key(1), 9, at(60s));
  write(key(1), waits);
  EXPECT_EQ(found(key(1)), waits);
}

TEST_P(LedgerContract, AnEntryWithoutOneLetsAParkedChangeGo) {
  write(key(1), parked(key(1), 9, at(60s)));
  write(key(1), entry(9));
  EXPECT_EQ(found(key(1)), entry(9));
  EXPECT_EQ(ledger_->restore(p0).parked(), 0U);
}

TEST_P(LedgerContract, WhatIsDueComesInOrderAndOnce) {
  ledger_->write({write_of(key(1), parked(key(1), 9, at(30s))),
                  write_of(key(2), parked(key(2), 9, at(10s))),
                  write_of(key(3), parked(key(3), 9, at(20s))), write_of(key(4), entry(1))});
  ledger_->restart();
  Ledger in_use{BundleForm{}};
  in_use.assign(p0, Epoch{1}, ledger_->restore(p0));
  EXPECT_THAT(keys_of(in_use.take_due({p0, Epoch{1}, at(20s), 1})), ElementsAre(key(2)));
  EXPECT_THAT(keys_of(in_use.take_due({p0, Epoch{1}, at(20s), 9})), ElementsAre(key(3)));
  EXPECT_THAT(keys_of(in_use.take_due({p0, Epoch{1}, at(20s), 9})), IsEmpty());
  EXPECT_EQ(in_use.take_due({p0, Epoch{1}, at(20s), 9}).next, at(30s));
}

TEST_P(LedgerContract, WhatWasHandedOutAndNotWrittenIsDueAgainAfterARestart) {
  write(key(1), parked(key(1), 9, at(10s)));
  Ledger in_use{BundleForm{}};
  in_use.assign(p0, Epoch{1}, ledger_->restore(p0));
  EXPECT_THAT(keys_of(in_use.take_due({p0, Epoch{1}, at(10s), 9})), ElementsAre(key(1)));
  ledger_->restart();
  in_use.assign(p0, Epoch{2}, ledger_->restore(p0));
  EXPECT_THAT(keys_of(in_use.take_due({p0, Epoch{2}, at(10s), 9})), ElementsAre(key(1)));
}

TEST_P(LedgerContract, ManyRecordsOfManyEntriesAreAllThere) {
  for (std::uint64_t record = 0; record < 5; ++record) {
    std::vector<LedgerWrite> writes;
    for (std::uint64_t i = 0; i < 400; ++i) {
      const std::uint64_t number = record * 300 + i;
      writes.push_back(write_of(key(number), entry(static_cast<std::int64_t>(record)),
                                number % 2 == 0 ? p0 : p1));
    }
    ledger_->write(std::move(writes));
  }
  ledger_->restart();
  EXPECT_EQ(ledger_->restore(p0).size(), 800U);
  EXPECT_EQ(ledger_->restore(p1).size(), 800U);
  EXPECT_EQ(ledger_->restore(p0).find(key(350))->entry.version, 1);
}

TEST_P(LedgerContract, AnotherHmacKeyIsRefusedAndChangesNothing) {
  write(key(1), entry(5));
  EXPECT_THAT(ledger_->refusal_of_another_key(), HasSubstr("ledger.hmac_key_file"));
  EXPECT_EQ(found(key(1)), entry(5));
}

}  // namespace helsekontakter::ledger

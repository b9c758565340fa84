#pragma once

#include "worker/ledger/table.h"
#include "worker/ports/ledger.h"

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// What every durable ledger must do, whatever it is made of. The tests are in ledger_contract.cc;
// an executable names the ledgers that it has at hand by INSTANTIATE_TEST_SUITE_P.

namespace helsekontakter::ledger {

/// A durable ledger as its tests see it; an error of the ledger fails the test.
class LedgerUnderTest {
 public:
  virtual ~LedgerUnderTest() = default;

  /// Makes the writes of one record durable, as one.
  virtual void write(std::vector<LedgerWrite> writes) = 0;
  /// The process ends without a word, and another one begins.
  virtual void restart() = 0;
  /// What the ledger holds of a partition.
  virtual LedgerTable restore(Partition partition) = 0;
  /// The same ledger opened with another ledger.hmac_key_file: why it is refused; empty: it is not.
  virtual std::string refusal_of_another_key() = 0;
};

struct KindOfLedger {
  std::string name;
  /// A new, empty ledger for two partitions.
  std::function<std::unique_ptr<LedgerUnderTest>()> make;
};

inline void PrintTo(const KindOfLedger& kind, std::ostream* out) {
  *out << kind.name;
}

class LedgerContract : public ::testing::TestWithParam<KindOfLedger> {
 protected:
  void SetUp() override { ledger_ = GetParam().make(); }
  void write(const MemberKey& key, LedgerEntry entry, Partition partition = Partition{0});
  /// The entry of a key after a restart.
  std::optional<LedgerEntry> found(const MemberKey& key, Partition partition = Partition{0});

  std::unique_ptr<LedgerUnderTest> ledger_;
};

}  // namespace helsekontakter::ledger

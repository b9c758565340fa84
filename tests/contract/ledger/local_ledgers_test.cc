#include "adapters/sqlite/sqlite_ledger.h"
#include "tests/contract/ledger/formats.h"
#include "tests/contract/ledger/ledger_contract.h"
#include "worker/ledger/ledger.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

// The contract for the fake and for SQLite; that for Kafka is in tests/integration/ledger.

namespace helsekontakter::ledger {
namespace {

/// Entries in a map; what "durable" means is that the map outlives a restart.
class FakeLedger : public LedgerUnderTest {
 public:
  void write(std::vector<LedgerWrite> writes) override {
    for (LedgerWrite& write : writes) {
      entries_.insert_or_assign({write.partition, write.key}, std::move(write.entry));
    }
  }
  void restart() override {}
  LedgerTable restore(Partition partition) override {
    LedgerTable table;
    for (const auto& [place, entry] : entries_) {
      if (place.first == partition) put(table, place.second, entry, BundleForm{});
    }
    return table;
  }
  std::string refusal_of_another_key() override {
    const Identity ours = format_of(1, 2)->identity();
    const auto same = compare(ours, format_of(9, 2)->identity(), "the fake ledger");
    return same ? "" : same.error().message;
  }

 private:
  std::map<std::pair<Partition, MemberKey>, LedgerEntry> entries_;
};

class SqliteUnderTest : public LedgerUnderTest {
 public:
  SqliteUnderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
    open();
  }
  ~SqliteUnderTest() override {
    ledger_.reset();
    std::filesystem::remove_all(directory_);
  }
  void write(std::vector<LedgerWrite> writes) override {
    const auto written = ledger_->write(writes);
    EXPECT_TRUE(written) << written.error().message;
  }
  void restart() override {
    ledger_.reset();
    open();
  }
  LedgerTable restore(Partition partition) override {
    auto restored = ledger_->restore(partition);
    EXPECT_TRUE(restored) << restored.error().message;
    return restored ? std::move(*restored) : LedgerTable();
  }
  std::string refusal_of_another_key() override {
    ledger_.reset();
    const auto opened = sqlite::SqliteLedger::open(path(), *format_of(9, 2));
    return opened ? "" : opened.error().message;
  }

 private:
  [[nodiscard]] std::string path() const { return (directory_ / "ledger.db").string(); }
  void open() {
    auto opened = sqlite::SqliteLedger::open(path(), *format_of(1, 2));
    ASSERT_TRUE(opened) << opened.error().message;
    ledger_.emplace(std::move(*opened));
  }

  std::filesystem::path directory_;
  std::optional<sqlite::SqliteLedger> ledger_;
};

INSTANTIATE_TEST_SUITE_P(
    Local, LedgerContract,
    ::testing::Values(KindOfLedger{"fake", [] { return std::make_unique<FakeLedger>(); }},
                      KindOfLedger{"sqlite", [] { return std::make_unique<SqliteUnderTest>(); }}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace helsekontakter::ledger

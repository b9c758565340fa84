#include "adapters/sqlite/sqlite_ledger.h"

#include "tests/unit/ledger/samples.h"
#include "worker/ledger/ledger.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

namespace helsekontakter::sqlite {
namespace {

using ledger::samples::at;
using ledger::samples::entry;
using ledger::samples::key;
using ledger::samples::parked;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Partition p0{0};

ledger::RecordFormat format(std::uint8_t hmac = 1, std::uint32_t partitions = 1,
                            std::uint8_t seal = 2) {
  crypto::KeyedHash::Key secret;
  secret.fill(hmac);
  const auto fingerprint = ledger::fingerprint_of(crypto::KeyedHash(secret));
  secret.fill(seal);
  const std::vector<crypto::KeyedHash::Key> keys{secret};
  return {{fingerprint, partitions}, *ledger::SealingKeys::make(keys), BundleForm{}};
}

class SqliteFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ / "ledger.db";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] Result<SqliteLedger> open(ledger::RecordFormat how = format()) const {
    return SqliteLedger::open(path_.string(), std::move(how));
  }
  /// A ledger with `members` entries in it.
  void fill(std::uint64_t members) {
    auto ledger = open();
    ASSERT_TRUE(ledger) << ledger.error().message;
    std::vector<LedgerWrite> writes;
    for (std::uint64_t i = 0; i < members; ++i) {
      writes.push_back({p0, Epoch{1}, key(i), entry(static_cast<std::int64_t>(i))});
    }
    ASSERT_TRUE(ledger->write(writes));
  }
  [[nodiscard]] std::string refusal(ledger::RecordFormat how = format()) const {
    const auto opened = open(std::move(how));
    if (opened) return "";
    EXPECT_EQ(opened.error().remedy, Remedy::stop);
    EXPECT_THAT(opened.error().message, HasSubstr(path_.string()));
    return opened.error().message;
  }
  [[nodiscard]] std::size_t members() const {
    auto ledger = open();
    EXPECT_TRUE(ledger) << ledger.error().message;
    auto table = ledger->restore(p0);
    EXPECT_TRUE(table) << table.error().message;
    return table->size();
  }
  void run_sql(const char* sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(handle);
  }
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(SqliteFile, KeepsWhatWasWrittenOverARestart) {
  fill(1000);
  EXPECT_EQ(members(), 1000U);
}

TEST_F(SqliteFile, IsReadableByItsOwnerOnly) {
  fill(1);
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(SqliteFile, RemembersWhichBrakesArePulled) {
  const auto somebody = OrganizationNumber::parse("948554062");
  const auto another = OrganizationNumber::parse("993467049");
  const WallTime since(Milliseconds(1'700'000'000'000));
  {
    auto ledger = open();
    ASSERT_TRUE(ledger);
    EXPECT_THAT(*ledger->pulled_brakes(), IsEmpty());
    for (const auto& organization : {somebody, another, std::optional<OrganizationNumber>()}) {
      ASSERT_TRUE(ledger->keep({organization, true, since}));
    }
    ASSERT_TRUE(ledger->keep({somebody, true, since}));
    ASSERT_TRUE(ledger->keep({another, false, since}));
  }
  auto ledger = open();
  ASSERT_TRUE(ledger);
  EXPECT_THAT(*ledger->pulled_brakes(), UnorderedElementsAre(SharedBrake{somebody, true, since},
                                                             SharedBrake{{}, true, since}));
  ASSERT_TRUE(ledger->keep({std::nullopt, false, since}));
  EXPECT_THAT(*ledger->pulled_brakes(), ElementsAre(SharedBrake{somebody, true, since}));
}

TEST_F(SqliteFile, IsForOneWorkerAtATime) {
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_THAT(refusal(), HasSubstr("in use by another process"));
}

TEST_F(SqliteFile, IsNotOfAnotherKind) {
  std::ofstream(path_) << "a list of members, it seems, and quite long enough to be a header of "
                          "something that has one hundred bytes";
  const std::string before = bytes();
  EXPECT_THAT(refusal(), HasSubstr("is no SQLite database"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(SqliteFile, IsNotTheDatabaseOfSomethingElse) {
  run_sql("CREATE TABLE invoices (number INTEGER)");
  const std::string before = bytes();
  EXPECT_THAT(refusal(), HasSubstr("database of something else"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(SqliteFile, IsRefusedWhenItWasTruncated) {
  fill(5000);
  const auto size = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, size / 2);
  const std::string before = bytes();
  EXPECT_THAT(refusal(), HasSubstr("damaged or was truncated"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(SqliteFile, IsRefusedWhenItWasEmptied) {
  fill(10);
  std::filesystem::resize_file(path_, 0);
  EXPECT_THAT(refusal(), HasSubstr("is empty: it was truncated"));
}

TEST_F(SqliteFile, IsRefusedWhenAPageWasOverwritten) {
  fill(5000);
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path_) / 2));
    file << std::string(8192, '\x55');
  }
  EXPECT_THAT(refusal(), HasSubstr("damaged or was truncated"));
}

TEST_F(SqliteFile, IsRefusedWhenOnlyItsLogIsThere) {
  std::ofstream(path_.string() + "-wal") << "a log";
  EXPECT_THAT(refusal(), HasSubstr("is gone, but its -wal file is there"));
}

TEST_F(SqliteFile, IsRefusedWhenItIsADirectory) {
  std::filesystem::create_directory(path_);
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
}

TEST_F(SqliteFile, IsRefusedWhenItsDirectoryIsMissing) {
  path_ = directory_ / "missing" / "ledger.db";
  EXPECT_THAT(refusal(), HasSubstr("the worker needs to read and write the file"));
}

TEST_F(SqliteFile, IsRefusedWhenANewerReleaseWroteIt) {
  fill(3);
  run_sql("PRAGMA user_version=2");
  EXPECT_THAT(refusal(), HasSubstr("run the newer release again"));
}

TEST_F(SqliteFile, IsRefusedWithAnotherHmacKey) {
  fill(3);
  EXPECT_THAT(refusal(format(9)), HasSubstr("another key than ledger.hmac_key_file"));
  EXPECT_EQ(members(), 3U);
}

TEST_F(SqliteFile, IsRefusedWithAnotherNumberOfPartitions) {
  fill(3);
  EXPECT_THAT(refusal(format(1, 2)), HasSubstr("was written for 1 partitions"));
}

TEST_F(SqliteFile, ARecordOfANewerFormatIsNotRead) {
  fill(3);
  run_sql("UPDATE entries SET value = x'09' || substr(value, 2)");
  auto ledger = open();
  ASSERT_TRUE(ledger);
  const auto restored = ledger->restore(p0);
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().message, HasSubstr("holds format 9"));
}

TEST_F(SqliteFile, AParkedChangeWhoseSealingKeyIsMissingIsNotRead) {
  {
    auto ledger = open();
    ASSERT_TRUE(ledger);
    const std::vector<LedgerWrite> writes{
        {p0, Epoch{1}, key(1), parked(key(1), 5, at(Milliseconds{0}))}};
    ASSERT_TRUE(ledger->write(writes));
  }
  auto ledger = open(format(1, 1, 3));
  ASSERT_TRUE(ledger);
  const auto restored = ledger->restore(p0);
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().message, HasSubstr("not among ledger.sealing_key_files"));
}

/// Files of this process cannot grow over a size: the nearest thing to a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(SqliteFile, ARecordThatFindsNoSpaceIsNotThereAndGoesThroughLater) {
  auto ledger = open();
  ASSERT_TRUE(ledger);
  const std::vector<LedgerWrite> first{{p0, Epoch{1}, key(1), entry(1)}};
  ASSERT_TRUE(ledger->write(first));
  std::vector<LedgerWrite> many;
  for (std::uint64_t i = 0; i < 5000; ++i) many.push_back({p0, Epoch{1}, key(i), entry(2)});
  {
    const FullDisk full(40'000);
    const auto refused = ledger->write(many);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::retry);
    EXPECT_THAT(refused.error().message, HasSubstr(path_.string()));
  }
  EXPECT_EQ(ledger->restore(p0)->size(), 1U);
  EXPECT_EQ(ledger->restore(p0)->find(key(1))->entry.version, 1);
  ASSERT_TRUE(ledger->write(many));
  EXPECT_EQ(ledger->restore(p0)->size(), 5000U);
}

/// Another user, where the tests are run by root, to whom nothing is forbidden.
class AsNobody {
 public:
  AsNobody() {
    if (was_root_) changed_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (changed_ && ::seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  const bool was_root_ = ::geteuid() == 0;
  bool changed_ = false;
};

TEST_F(SqliteFile, IsRefusedWhenItMayNotBeWritten) {
  fill(3);
  using std::filesystem::perms;
  std::filesystem::permissions(path_, perms::owner_read | perms::others_read);
  std::filesystem::permissions(directory_,
                               perms::owner_all | perms::others_read | perms::others_exec);
  {
    const AsNobody nobody;
    EXPECT_THAT(refusal(), HasSubstr("cannot be written"));
  }
  std::filesystem::permissions(path_, perms::owner_read | perms::owner_write);
}

}  // namespace
}  // namespace helsekontakter::sqlite

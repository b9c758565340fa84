#include "adapters/sqlite/sqlite_ledger.h"

#include <cstdint>
#include <optional>
#include <utility>

#include <sys/stat.h>

namespace helsekontakter::sqlite {
namespace {

/// SQLite's application_id: tells a ledger from other databases. "HKLG".
constexpr std::int64_t application_id = 0x484b4c47;
/// user_version: the shape of the tables. The values' own format is ledger::RecordFormat's.
constexpr std::int64_t shape_newest = 1;
/// Name of a fact: a brake that is pulled, of this organisation or, without one, of the source.
const std::string brake_prefix = "brake/";

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(Remedy::stop, "ledger.sqlite.path: " + path + " " + why);
}

struct Existing {
  bool file = false;
  bool log = false;
};

/// Looks before SQLite does: it would take an empty file for a new database.
Result<Existing> look(const std::string& path) {
  struct stat about {};
  Existing existing;
  existing.log = ::stat((path + "-wal").c_str(), &about) == 0 && about.st_size > 0;
  existing.file = ::stat(path.c_str(), &about) == 0;
  if (!existing.file && existing.log) {
    return refuse(path,
                  "is gone, but its -wal file is there; restore the file, or remove the -wal file "
                  "if the ledger is to begin anew");
  }
  if (!existing.file) return existing;
  if (!S_ISREG(about.st_mode)) return refuse(path, "is not a regular file; name a file");
  if (about.st_size == 0 && !existing.log) {
    return refuse(path,
                  "is empty: it was truncated, or is no ledger; restore a backup, or remove the "
                  "file if the ledger is to begin anew");
  }
  return existing;
}

}  // namespace

Result<SqliteLedger> SqliteLedger::open(const std::string& path, ledger::RecordFormat format) {
  const auto existing = look(path);
  if (!existing) return tl::unexpected(existing.error());
  auto database = Database::open(path, !existing->file);
  if (!database) return tl::unexpected(database.error());
  SqliteLedger ledger(path, std::move(format), std::move(*database));
  if (existing->file) {
    if (auto known = ledger.recognize(); !known) return tl::unexpected(known.error());
  }
  if (auto taken = ledger.take(); !taken) return tl::unexpected(taken.error());
  if (!existing->file) {
    if (auto made = ledger.create(); !made) return tl::unexpected(made.error());
  }
  if (auto ready = ledger.prepare(); !ready) return tl::unexpected(ready.error());
  return ledger;
}

/// Reads only: whatever is refused stays as it is.
Result<void> SqliteLedger::recognize() const {
  // Exclusive from the first read on, without which a file of another worker would be readable.
  if (auto set = database_.run("PRAGMA locking_mode=EXCLUSIVE"); !set) return set;
  const auto application = database_.number("PRAGMA application_id");
  if (!application) return tl::unexpected(application.error());
  if (*application != application_id) {
    return refuse(path_, "is a SQLite database of something else; name another file");
  }
  const auto shape = database_.number("PRAGMA user_version");
  if (!shape) return tl::unexpected(shape.error());
  if (*shape > shape_newest) {
    return refuse(path_, "was written by a newer release (its tables have version " +
                             std::to_string(*shape) + ", this one reads up to " +
                             std::to_string(shape_newest) +
                             "); run the newer release again, nothing was changed");
  }
  const auto stored = database_.text("SELECT value FROM facts WHERE name = 'identity'");
  if (!stored) return tl::unexpected(stored.error());
  const auto identity = ledger::decode_identity(*stored);
  if (!identity) return refuse(path_, "cannot be used: " + identity.error().message);
  if (auto same = ledger::compare(*identity, format_.identity(), "ledger.sqlite.path: " + path_);
      !same) {
    return same;
  }
  const auto whole = database_.text("PRAGMA quick_check(1)");
  if (!whole) return tl::unexpected(whole.error());
  if (*whole == "ok") return {};
  return refuse(path_,
                "is damaged or was truncated (" + *whole +
                    "); restore a backup together with its -wal file, or name a new file and "
                    "replay the input");
}

/// Alone, and durable at each commit.
Result<void> SqliteLedger::take() const {
  if (auto set = database_.run("PRAGMA locking_mode=EXCLUSIVE"); !set) return set;
  const auto mode = database_.text("PRAGMA journal_mode=WAL");
  if (!mode) return tl::unexpected(mode.error());
  if (*mode != "wal") {
    return refuse(path_, "cannot have a write-ahead log there; put it on a disk of this machine");
  }
  // Members come in no order of their keys, so a record touches a page for nearly each of them: a
  // cache of 32 MB, and a log of 16 MB between two checkpoints, spare reading and writing them
  // anew.
  return database_.run(
      "PRAGMA synchronous=FULL; PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=4000;"
      "BEGIN EXCLUSIVE; COMMIT");
}

Result<void> SqliteLedger::create() const {
  const std::string made =
      "BEGIN IMMEDIATE; PRAGMA application_id=" + std::to_string(application_id) +
      "; PRAGMA user_version=" + std::to_string(shape_newest) +
      "; CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL)"
      " WITHOUT ROWID;"
      " CREATE TABLE entries (partition INTEGER, key BLOB, value BLOB NOT NULL,"
      " PRIMARY KEY (partition, key)) WITHOUT ROWID";
  if (auto run = database_.run(made); !run) return run;
  auto insert = database_.prepare("INSERT INTO facts VALUES ('identity', ?)");
  if (!insert) return tl::unexpected(insert.error());
  const std::string identity = ledger::encode(format_.identity());
  insert->bind(1, identity);
  if (insert->step() != Statement::Step::done) return tl::unexpected(database_.error());
  return database_.run("COMMIT");
}

Result<void> SqliteLedger::prepare() {
  auto put = database_.prepare(
      "INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  if (!put) return tl::unexpected(put.error());
  auto all = database_.prepare("SELECT key, value FROM entries WHERE partition = ?");
  if (!all) return tl::unexpected(all.error());
  put_ = std::move(*put);
  all_ = std::move(*all);
  return {};
}

Result<ledger::LedgerTable> SqliteLedger::restore(Partition partition) {
  ledger::LedgerTable table;
  std::optional<Error> error;
  all_.reset();
  all_.bind(1, static_cast<std::int64_t>(partition));
  Statement::Step step = all_.step();
  for (; step == Statement::Step::row && !error; step = all_.step()) {
    const auto read = format_.read(all_.bytes(0), all_.bytes(1), table, "the ledger " + path_);
    if (!read) error = read.error();
  }
  if (!error && step == Statement::Step::failed) error = database_.error();
  all_.reset();
  if (error) return tl::unexpected(*error);
  return table;
}

Result<void> SqliteLedger::write(std::span<const LedgerWrite> writes) {
  if (writes.empty()) return {};
  if (auto begun = database_.run("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = put_all(writes);
  if (done) done = database_.run("COMMIT");
  if (done) return done;
  // Some faults have rolled it back already; then this one says so, and that is well too.
  static_cast<void>(database_.run("ROLLBACK"));
  return done;
}

Result<void> SqliteLedger::keep(const SharedBrake& brake) {
  auto statement =
      database_.prepare(brake.pulled ? "INSERT OR REPLACE INTO facts VALUES (CAST(? AS TEXT), ?)"
                                     : "DELETE FROM facts WHERE name = CAST(? AS TEXT)");
  if (!statement) return tl::unexpected(statement.error());
  const std::string name =
      brake_prefix + (brake.organization ? brake.organization->digits() : std::string());
  statement->bind(1, name);
  if (brake.pulled) statement->bind(2, brake.since.time_since_epoch().count());
  if (statement->step() != Statement::Step::done) return tl::unexpected(database_.error());
  return {};
}

Result<std::vector<SharedBrake>> SqliteLedger::pulled_brakes() {
  auto statement = database_.prepare("SELECT name, value FROM facts WHERE name LIKE 'brake/%'");
  if (!statement) return tl::unexpected(statement.error());
  std::vector<SharedBrake> brakes;
  Statement::Step step = statement->step();
  for (; step == Statement::Step::row; step = statement->step()) {
    const std::string_view digits = statement->bytes(0).substr(brake_prefix.size());
    SharedBrake brake{.organization = OrganizationNumber::parse(digits),
                      .pulled = true,
                      .since = WallTime(Milliseconds(statement->number(1)))};
    // Of the source: no organisation.
    if (brake.organization || digits.empty()) brakes.push_back(brake);
  }
  if (step == Statement::Step::failed) return tl::unexpected(database_.error());
  return brakes;
}

Result<bool> SqliteLedger::begin_run() {
  const auto running = database_.number("SELECT count(*) FROM facts WHERE name = 'running'");
  if (!running) return tl::unexpected(running.error());
  const auto marked = database_.run("INSERT OR REPLACE INTO facts VALUES ('running', 1)");
  if (!marked) return tl::unexpected(marked.error());
  return *running == 0;
}

Result<void> SqliteLedger::end_run() {
  return database_.run("DELETE FROM facts WHERE name = 'running'");
}

Result<void> SqliteLedger::put_all(std::span<const LedgerWrite> writes) {
  for (const LedgerWrite& write : writes) {
    const auto value = format_.encode(write.key, write.entry);
    if (!value) return tl::unexpected(value.error());
    put_.reset();
    put_.bind(1, static_cast<std::int64_t>(write.partition));
    put_.bind(2, ledger::RecordFormat::encode_key(write.key));
    put_.bind(3, *value);
    const bool written = put_.step() == Statement::Step::done;
    const Error error = written ? Error{} : database_.error();
    put_.reset();
    if (!written) return tl::unexpected(error);
  }
  return {};
}

}  // namespace helsekontakter::sqlite

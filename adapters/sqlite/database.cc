#include "adapters/sqlite/database.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace helsekontakter::sqlite {
namespace {

Error explain(const std::string& path, int code, int system_error, const std::string& words) {
  const std::string what = "ledger.sqlite.path: " + path;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Remedy::stop, what +
                                " is in use by another process; one worker uses it at a time: "
                                "stop the other one, or give this worker a file of its own"};
    case SQLITE_NOTADB:
      return {Remedy::stop, what +
                                " is not a ledger: it is no SQLite database; name another file, "
                                "or restore a backup"};
    case SQLITE_CORRUPT:
      return {Remedy::stop, what +
                                " is damaged or was truncated; restore a backup together with its "
                                "-wal file, or name a new file and replay the input"};
    case SQLITE_FULL:
      return {Remedy::retry, what + " cannot grow: the disk is full; free some space on it"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return {Remedy::stop,
              what + " cannot be written: " +
                  (system_error != 0 ? std::generic_category().message(system_error) : words) +
                  "; the worker needs to read and write the file and its directory"};
    case SQLITE_IOERR:
      return {Remedy::retry,
              what + " cannot be read or written: " +
                  (system_error != 0 ? std::generic_category().message(system_error) : words) +
                  "; check the disk, its free space and its quota"};
    default:
      return {Remedy::stop, what + ": " + words};
  }
}

}  // namespace

void Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

void Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::bind(int place, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), place, value);
}

void Statement::bind(int place, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), place, bytes.data(), bytes.size(), SQLITE_STATIC);
}

Statement::Step Statement::step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return Step::row;
    case SQLITE_DONE:
      return Step::done;
    default:
      return Step::failed;
  }
}

void Statement::reset() {
  // Repeats the error of the last step, which was seen there.
  static_cast<void>(sqlite3_reset(statement_.get()));
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* blob = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (blob == nullptr || size <= 0) return {};
  return {static_cast<const char*>(blob), static_cast<std::size_t>(size)};
}

Result<Database> Database::open(const std::string& path, bool is_new) {
  if (is_new) {
    // Made here, for its owner only; SQLite gives its other files the same mode.
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return tl::unexpected(explain(path, SQLITE_CANTOPEN, errno, ""));
    ::close(file);
  }
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(path, handle);
  if (handle == nullptr) return tl::unexpected(explain(path, SQLITE_NOMEM, 0, "out of memory"));
  if (code != SQLITE_OK) return tl::unexpected(database.error());
  sqlite3_extended_result_codes(handle, 1);
  // A file that may not be written is opened for reading without a word.
  if (sqlite3_db_readonly(handle, "main") == 1) {
    return tl::unexpected(explain(path, SQLITE_READONLY, EACCES, ""));
  }
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error());
  return Statement(statement);
}

Result<void> Database::run(const std::string& sql) const {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error());
  return {};
}

Result<std::int64_t> Database::number(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  if (statement->step() != Statement::Step::row) return tl::unexpected(error());
  return statement->number(0);
}

Result<std::string> Database::text(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  if (statement->step() != Statement::Step::row) return tl::unexpected(error());
  return std::string(statement->bytes(0));
}

Error Database::error() const {
  return explain(path_, sqlite3_extended_errcode(handle_.get()),
                 sqlite3_system_errno(handle_.get()), sqlite3_errmsg(handle_.get()));
}

}  // namespace helsekontakter::sqlite

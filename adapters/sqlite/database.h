#pragma once

#include "worker/domain/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace helsekontakter::sqlite {

struct Close {
  void operator()(sqlite3* handle) const;
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const;
};

/// One statement, prepared once and run many times.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// From 1. The bytes must live until the statement was run.
  void bind(int place, std::int64_t value);
  void bind(int place, std::string_view bytes);

  enum class Step : std::uint8_t { row, done, failed };
  [[nodiscard]] Step step();
  void reset();

  /// Of the row that step() found; from 0. The bytes live until the next step.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A connection to one database file. One thread at a time; every call blocks on the disk.
class Database {
 public:
  /// Opens a file for reading and writing; `is_new` allows it to be made, for its owner only.
  [[nodiscard]] static Result<Database> open(const std::string& path, bool is_new);

  [[nodiscard]] Result<Statement> prepare(std::string_view sql) const;
  [[nodiscard]] Result<void> run(const std::string& sql) const;
  /// The first column of the first row of a query, as a number or as text.
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql) const;
  [[nodiscard]] Result<std::string> text(std::string_view sql) const;

  /// Why the last call failed: one sentence that says what to do. Remedy::stop where a person must
  /// do something first, Remedy::retry where the disk may recover.
  [[nodiscard]] Error error() const;

 private:
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace helsekontakter::sqlite

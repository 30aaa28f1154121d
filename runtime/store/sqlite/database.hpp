// SPDX-License-Identifier: Apache-2.0
// A connection to an SQLite file and statements prepared on it. One thread at a time. Errors name
// the file: DATA_LOSS where it is no database or a broken one, UNAVAILABLE else (locked, full).
#pragma once

#include <backplane/result.hpp>

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace backplane::sqlite {

// Goes before its database.
class Statement {
 public:
  // Binds the arguments from the first on and begins anew. Texts are borrowed until the next
  // start, run or reset.
  template <class... Arguments>
  void start(const Arguments&... arguments) {
    sqlite3_reset(statement_.get());
    int index = 0;
    (bind(++index, arguments), ...);
  }
  // The next row, or none. After none or a failure the statement rests.
  Result<bool> next();
  // Starts and goes on to the end.
  template <class... Arguments>
  Status run(const Arguments&... arguments) {
    start(arguments...);
    const Result<bool> row = next();
    reset();
    if (!row) return row.error();
    return ok();
  }
  void reset() { sqlite3_reset(statement_.get()); }

  // Of the row, by column from 0 on.
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(sqlite3_stmt* statement, const std::string& path)
      : statement_(statement), path_(&path) {}
  void bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }
  void bind(int index, std::string_view value) {
    sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;
};

class Database {
 public:
  enum class Access { kRead, kWrite, kCreate };

  static Result<Database> open(const std::string& path, Access access);

  const std::string& path() const { return *path_; }
  // One or more statements without arguments.
  Status execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row.
  Result<std::int64_t> number(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  explicit Database(const std::string& path) : path_(std::make_unique<std::string>(path)) {}

  std::unique_ptr<std::string> path_;  // stays in its place when this moves
  std::unique_ptr<sqlite3, Close> database_;
};

// BEGIN IMMEDIATE (or BEGIN, for what only reads), and ROLLBACK unless it was committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database, bool writes);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace backplane::sqlite

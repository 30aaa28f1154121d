// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/sqlite/database.hpp"

#include <utility>

namespace backplane::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

Error error_of(sqlite3* database, int code, const std::string& path) {
  const int primary = code & 0xff;
  const bool is_broken = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  const char* what = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  return {is_broken ? Code::kDataLoss : Code::kUnavailable, path + ": " + what, {}, 0, 0};
}

}  // namespace

Result<bool> Statement::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(statement_.get()), code, *path_);
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

Result<Database> Database::open(const std::string& path, Access access) {
  int flags = SQLITE_OPEN_NOMUTEX;
  flags |= access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (access == Access::kCreate) flags |= SQLITE_OPEN_CREATE;
  Database database(path);
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  database.database_.reset(opened);
  if (code != SQLITE_OK) return error_of(opened, code, path);
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, kBusyTimeoutMs);
  return database;
}

Status Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code, path());
  return ok();
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code, path());
  return Statement(prepared, path());
}

Result<std::int64_t> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const auto row = statement->next();
  if (!row) return row.error();
  return *row ? statement->number(0) : 0;
}

Result<Transaction> Transaction::begin(Database& database, bool writes) {
  auto status = database.execute(writes ? "BEGIN IMMEDIATE" : "BEGIN");
  if (!status) return status.error();
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Status Transaction::commit() {
  auto status = database_->execute("COMMIT");
  if (status) database_ = nullptr;
  return status;
}

}  // namespace backplane::sqlite

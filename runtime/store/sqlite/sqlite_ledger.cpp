// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/sqlite/sqlite_ledger.hpp"

#include "runtime/store/sqlite/migrations.hpp"

#include <filesystem>
#include <utility>

namespace backplane::sqlite {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

// A reader holds no transaction open, so that the log can be taken into the file.
constexpr const char* kWriting = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

Result<Database> open_writing(const std::string& path) {
  auto database = Database::open(path, Database::Access::kCreate);
  if (!database) return database;
  if (auto status = migrate(*database, newest_version()); !status) return status.error();
  if (auto status = database->execute(kWriting); !status) return status.error();
  return database;
}

}  // namespace

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const std::string& path,
                                                         const bp_clock& clock) {
  auto writing = open_writing(path);
  if (!writing) return writing.error();
  auto statements = LedgerStatements::prepare(*writing);
  if (!statements) return statements.error();
  auto reading = Database::open(path, Database::Access::kWrite);
  if (!reading) return reading.error();
  return std::unique_ptr<SqliteLedger>(
      new SqliteLedger(std::move(*writing), std::move(*statements), std::move(*reading), clock));
}

SqliteLedger::SqliteLedger(Database writing, LedgerStatements statements, Database reading,
                           const bp_clock& clock)
    : clock_(clock),
      writing_(std::move(writing)),
      statements_(std::move(statements)),
      reading_(std::move(reading)),
      writer_([this](std::span<const LedgerCommand> commands) { return run(commands); }) {}

Status SqliteLedger::submit(LedgerCommand command, Answered answered) {
  return writer_.submit(std::move(command), std::move(answered));
}

std::vector<LedgerResult> SqliteLedger::run(std::span<const LedgerCommand> commands) {
  auto results = run_transaction(commands);
  if (results) return std::move(*results);
  return {commands.size(), LedgerResult(results.error())};
}

Result<std::vector<LedgerResult>> SqliteLedger::run_transaction(
    std::span<const LedgerCommand> commands) {
  const std::int64_t unix_ms = clock_.unix_ns(clock_.context) / kNsPerMs;
  if (commands.empty()) {
    const auto has_work = statements_.has_expired_holds(unix_ms);
    if (!has_work) return has_work.error();
    if (!*has_work) return std::vector<LedgerResult>();
  }
  auto transaction = Transaction::begin(writing_, true);
  if (!transaction) return transaction.error();
  LedgerBatch batch(commands, unix_ms);
  if (auto status = statements_.load(batch, unix_ms); !status) return status.error();
  std::vector<LedgerResult> results = batch.apply();
  if (auto status = statements_.store(batch.changes()); !status) return status.error();
  if (auto status = transaction->commit(); !status) return status.error();
  return results;
}

Result<Balance> SqliteLedger::balance(std::string_view account) {
  const std::lock_guard lock(mutex_);
  auto statement = reading_.prepare("SELECT posted, held FROM accounts WHERE name = ?");
  if (!statement) return statement.error();
  statement->start(account);
  const auto row = statement->next();
  if (!row) return row.error();
  if (!*row) {
    return Error{Code::kNotFound, "there is no account \"" + std::string(account) + "\"", {}, 0, 0};
  }
  return Balance{statement->number(0), statement->number(1)};
}

Result<std::vector<EntryRow>> SqliteLedger::journal(std::string_view account, std::int64_t before,
                                                    std::size_t limit) {
  const std::lock_guard lock(mutex_);
  auto statement = reading_.prepare(
      "SELECT * FROM (SELECT * FROM journal WHERE payer = ?1 AND sequence < ?2 "
      "ORDER BY sequence DESC LIMIT ?3) UNION ALL "
      "SELECT * FROM (SELECT * FROM journal WHERE payee = ?1 AND sequence < ?2 "
      "ORDER BY sequence DESC LIMIT ?3) ORDER BY 1 DESC LIMIT ?3");
  if (!statement) return statement.error();
  statement->start(account, before == 0 ? INT64_MAX : before, static_cast<std::int64_t>(limit));
  std::vector<EntryRow> entries;
  while (true) {
    const auto row = statement->next();
    if (!row) return row.error();
    if (!*row) return entries;
    entries.push_back(entry_row(*statement));
  }
}

Status SqliteLedger::check() {
  const std::lock_guard lock(mutex_);
  auto statement = reading_.prepare("PRAGMA integrity_check(1)");
  if (!statement) return statement.error();
  const auto row = statement->next();
  if (!row) return row.error();
  const std::string verdict = *row ? statement->text(0) : "no answer";
  if (verdict == "ok") return ok();
  return Error{Code::kDataLoss, reading_.path() + ": " + verdict, {}, 0, 0};
}

Status SqliteLedger::back_up(const std::string& path) {
  if (std::filesystem::exists(path)) {
    return Error{Code::kAlreadyExists, path + ": is there already; name a new file", {}, 0, 0};
  }
  const std::lock_guard lock(mutex_);
  auto statement = reading_.prepare("VACUUM INTO ?");
  if (!statement) return statement.error();
  return statement->run(std::string_view(path));
}

}  // namespace backplane::sqlite

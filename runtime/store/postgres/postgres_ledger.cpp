// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/postgres/postgres_ledger.hpp"

#include "runtime/store/postgres/ledger_queries.hpp"
#include "runtime/store/postgres/migrations.hpp"

#include <utility>

namespace backplane::postgres {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace

Result<std::unique_ptr<PostgresLedger>> PostgresLedger::open(const std::string& url,
                                                             const bp_clock& clock) {
  auto writing = Connection::open(url);
  if (!writing) return writing.error();
  if (auto status = migrate(*writing, newest_version()); !status) return status.error();
  auto reading = Connection::open(url);
  if (!reading) return reading.error();
  return std::unique_ptr<PostgresLedger>(
      new PostgresLedger(std::move(*writing), std::move(*reading), clock));
}

PostgresLedger::PostgresLedger(Connection writing, Connection reading, const bp_clock& clock)
    : clock_(clock),
      writing_(std::move(writing)),
      reading_(std::move(reading)),
      writer_([this](std::span<const LedgerCommand> commands) { return run(commands); }) {}

Status PostgresLedger::submit(LedgerCommand command, Answered answered) {
  return writer_.submit(std::move(command), std::move(answered));
}

std::vector<LedgerResult> PostgresLedger::run(std::span<const LedgerCommand> commands) {
  for (int attempt = 1;; ++attempt) {
    auto results = run_transaction(commands);
    if (results) return std::move(*results);
    static_cast<void>(writing_.execute("ROLLBACK"));
    Error error = results.error();
    if (std::exchange(error.type, "") == "RETRY" && attempt < kTriesMax) continue;
    return {commands.size(), LedgerResult(std::move(error))};
  }
}

Result<std::vector<LedgerResult>> PostgresLedger::run_transaction(
    std::span<const LedgerCommand> commands) {
  if (auto status = writing_.revive(); !status) return status.error();
  const std::int64_t unix_ms = clock_.unix_ns(clock_.context) / kNsPerMs;
  LedgerBatch batch(commands, unix_ms);
  if (auto status = load(writing_, batch, unix_ms); !status) return status.error();
  std::vector<LedgerResult> results = batch.apply();
  if (auto status = store(writing_, batch.changes()); !status) return status.error();
  return results;
}

Result<Balance> PostgresLedger::balance(std::string_view account) {
  const std::lock_guard lock(mutex_);
  if (auto status = reading_.revive(); !status) return status.error();
  const auto found =
      reading_.run({{"SELECT * FROM backplane.accounts WHERE name = $1", {std::string(account)}}});
  if (!found) return found.error();
  if (found->front().count() == 0) {
    return Error{Code::kNotFound, "there is no account \"" + std::string(account) + "\"", {}, 0, 0};
  }
  return account_row(found->front(), 0).balance;
}

Result<std::vector<EntryRow>> PostgresLedger::journal(std::string_view account, std::int64_t before,
                                                      std::size_t limit) {
  const std::lock_guard lock(mutex_);
  if (auto status = reading_.revive(); !status) return status.error();
  const auto found = reading_.run(
      {{"(SELECT * FROM backplane.journal WHERE payer = $1 AND sequence < $2::bigint "
        "ORDER BY sequence DESC LIMIT $3::bigint) UNION ALL "
        "(SELECT * FROM backplane.journal WHERE payee = $1 AND sequence < $2::bigint "
        "ORDER BY sequence DESC LIMIT $3::bigint) ORDER BY sequence DESC LIMIT $3::bigint",
        {std::string(account), std::to_string(before == 0 ? INT64_MAX : before),
         std::to_string(limit)}}});
  if (!found) return found.error();
  std::vector<EntryRow> entries;
  for (int i = 0; i < found->front().count(); ++i) entries.push_back(entry_row(found->front(), i));
  return entries;
}

Status PostgresLedger::read_books(BooksReader& reader) {
  const std::lock_guard lock(mutex_);
  if (auto status = reading_.revive(); !status) return status;
  auto status = reading_.execute(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
      "SET LOCAL statement_timeout = 0");
  if (!status) return status;
  status = read_all(reader);
  const Status ended = reading_.execute("ROLLBACK");
  return status ? ended : status;
}

Status PostgresLedger::read_all(BooksReader& reader) {
  auto status = reading_.each_row({"SELECT * FROM backplane.accounts", {}},
                                  [&](const Rows& rows) { reader.take(account_row(rows, 0)); });
  if (!status) return status;
  status = reading_.each_row(
      {"SELECT h.*, count(j.key), coalesce(sum(j.amount), 0)::bigint FROM backplane.holds h "
       "LEFT JOIN backplane.journal j ON j.key = h.key AND j.is_capture GROUP BY h.key",
       {}},
      [&](const Rows& rows) {
        reader.take(hold_row(rows, 0), static_cast<std::uint64_t>(rows.number(0, 6)),
                    rows.number(0, 7));
      });
  if (!status) return status;
  return reading_.each_row({"SELECT j.*, h.* FROM backplane.journal j LEFT JOIN backplane.holds h "
                            "ON h.key = j.key AND j.is_capture ORDER BY j.sequence",
                            {}},
                           [&](const Rows& rows) {
                             constexpr int kHoldColumn = 9;
                             const HoldRow hold = hold_row(rows, 0, kHoldColumn);
                             reader.take(entry_row(rows, 0),
                                         rows.is_null(0, kHoldColumn) ? nullptr : &hold);
                           });
}

Status PostgresLedger::check() {
  const std::lock_guard lock(mutex_);
  if (auto status = reading_.revive(); !status) return status;
  const auto version = version_of(reading_);
  if (!version) return version.error();
  if (*version == newest_version()) return ok();
  return Error{Code::kDataLoss,
               "postgresql: the schema backplane has version " + std::to_string(*version) +
                   " instead of " + std::to_string(newest_version()),
               {},
               0,
               0};
}

Status PostgresLedger::back_up(const std::string&) {
  return Error{Code::kUnimplemented, "use pg_dump --schema=backplane for this store", {}, 0, 0};
}

}  // namespace backplane::postgres

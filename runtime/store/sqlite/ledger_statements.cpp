// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/sqlite/ledger_statements.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace backplane::sqlite {
namespace {

constexpr std::array<std::string_view, 9> kStatements = {
    "SELECT * FROM holds WHERE state = 0 AND expires_ms <= ? LIMIT 1000",
    "SELECT * FROM holds WHERE key = ?",
    "SELECT * FROM journal WHERE key = ?",
    "SELECT name, may_owe, posted, held FROM accounts WHERE name = ?",
    "INSERT INTO accounts (name, may_owe, posted, held) VALUES (?, ?, ?, ?)",
    "UPDATE accounts SET posted = ?2, held = ?3 WHERE name = ?1",
    "INSERT INTO holds VALUES (?, ?, ?, ?, ?, ?)",
    "UPDATE holds SET state = ?2, captured = ?3 WHERE key = ?1",
    "INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
};

// Calls `take()` for each row of a statement that has been started.
template <class Take>
Status each_row(Statement& statement, Take take) {
  while (true) {
    const auto row = statement.next();
    if (!row) return row.error();
    if (!*row) return ok();
    take();
  }
}

}  // namespace

HoldRow hold_row(const Statement& row, int first) {
  return {row.text(first),
          row.text(first + 1),
          row.number(first + 2),
          row.number(first + 3),
          static_cast<HoldState>(row.number(first + 4)),
          row.number(first + 5)};
}

EntryRow entry_row(const Statement& row) {
  return {row.number(0), row.text(1), row.text(2),        row.text(3),  row.number(4),
          row.text(5),   row.text(6), row.number(7) != 0, row.number(8)};
}

Result<LedgerStatements> LedgerStatements::prepare(Database& database) {
  static_assert(kStatements.size() == kCount);
  LedgerStatements statements;
  for (const std::string_view sql : kStatements) {
    auto statement = database.prepare(sql);
    if (!statement) return statement.error();
    statements.all_.push_back(std::move(*statement));
  }
  return statements;
}

Result<bool> LedgerStatements::has_expired_holds(std::int64_t unix_ms) {
  (*this)[kExpired].start(unix_ms);
  auto row = (*this)[kExpired].next();
  (*this)[kExpired].reset();
  return row;
}

Status LedgerStatements::load_holds(Statement& statement, LedgerBatch& batch) {
  return each_row(statement, [&] { batch.load(hold_row(statement)); });
}

Status LedgerStatements::load(LedgerBatch& batch, std::int64_t unix_ms) {
  (*this)[kExpired].start(unix_ms);
  if (auto status = load_holds((*this)[kExpired], batch); !status) return status;
  for (const std::string& key : batch.hold_keys()) {
    (*this)[kHold].start(key);
    if (auto status = load_holds((*this)[kHold], batch); !status) return status;
  }
  for (const std::string& key : batch.entry_keys()) {
    (*this)[kEntry].start(key);
    auto status = each_row((*this)[kEntry], [&] { batch.load(entry_row((*this)[kEntry])); });
    if (!status) return status;
  }
  for (const std::string& name : batch.account_names()) {
    (*this)[kAccount].start(name);
    auto status = each_row((*this)[kAccount], [&] {
      batch.load(AccountRow{(*this)[kAccount].text(0),
                            (*this)[kAccount].number(1) != 0,
                            {(*this)[kAccount].number(2), (*this)[kAccount].number(3)}});
    });
    if (!status) return status;
  }
  return ok();
}

Status LedgerStatements::store(const LedgerBatch::Changes& changes) {
  Status status = ok();
  for (const AccountRow* row : changes.opened) {
    status = (*this)[kOpen].run(row->name, std::int64_t{row->may_owe}, row->balance.posted,
                                row->balance.held);
    if (!status) return status;
  }
  for (const AccountRow* row : changes.accounts) {
    status = (*this)[kChange].run(row->name, row->balance.posted, row->balance.held);
    if (!status) return status;
  }
  for (const HoldRow* row : changes.placed) {
    status = (*this)[kPlace].run(row->key, row->account, row->amount, row->expires_unix_ms,
                                 static_cast<std::int64_t>(row->state), row->captured);
    if (!status) return status;
  }
  for (const HoldRow* row : changes.ended) {
    status = (*this)[kEnd].run(row->key, static_cast<std::int64_t>(row->state), row->captured);
    if (!status) return status;
  }
  for (const EntryRow* row : changes.entries) {
    status = (*this)[kWrite].run(row->key, row->from, row->to, row->amount, row->kind, row->details,
                                 std::int64_t{row->is_capture}, row->unix_ms);
    if (!status) return status;
  }
  return ok();
}

}  // namespace backplane::sqlite

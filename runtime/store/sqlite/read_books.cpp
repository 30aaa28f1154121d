// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/sqlite/sqlite_ledger.hpp"

namespace backplane::sqlite {
namespace {

template <class Take>
Status each_row(Database& database, std::string_view sql, Take take) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  while (true) {
    const auto row = statement->next();
    if (!row) return row.error();
    if (!*row) return ok();
    take(*statement);
  }
}

Status read_accounts(Database& database, BooksReader& reader) {
  return each_row(
      database, "SELECT name, may_owe, posted, held FROM accounts", [&](const Statement& row) {
        reader.take(AccountRow{row.text(0), row.number(1) != 0, {row.number(2), row.number(3)}});
      });
}

Status read_holds(Database& database, BooksReader& reader) {
  return each_row(database,
                  "SELECT holds.*, count(journal.key), coalesce(sum(journal.amount), 0) "
                  "FROM holds LEFT JOIN journal ON journal.key = holds.key AND is_capture "
                  "GROUP BY holds.key",
                  [&](const Statement& row) {
                    reader.take(hold_row(row), static_cast<std::uint64_t>(row.number(6)),
                                row.number(7));
                  });
}

Status read_journal(Database& database, BooksReader& reader) {
  return each_row(database,
                  "SELECT * FROM journal LEFT JOIN holds ON holds.key = journal.key AND is_capture "
                  "ORDER BY sequence",
                  [&](const Statement& row) {
                    constexpr int kHoldColumn = 9;
                    const HoldRow hold = hold_row(row, kHoldColumn);
                    reader.take(entry_row(row), hold.key.empty() ? nullptr : &hold);
                  });
}

}  // namespace

Status SqliteLedger::read_books(BooksReader& reader) {
  const std::lock_guard lock(mutex_);
  auto snapshot = Transaction::begin(reading_, false);
  if (!snapshot) return snapshot.error();
  if (auto status = read_accounts(reading_, reader); !status) return status;
  if (auto status = read_holds(reading_, reader); !status) return status;
  return read_journal(reading_, reader);
}

}  // namespace backplane::sqlite

// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/sqlite/migrations.hpp"

#include <array>
#include <string>

namespace backplane::sqlite {
namespace {

constexpr std::int64_t kApplication = 0x42504c4e;  // of SQLite's application_id

constexpr std::array kSteps = {
    R"sql(
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  may_owe INTEGER NOT NULL,
  posted INTEGER NOT NULL,
  held INTEGER NOT NULL,
  CHECK (held >= 0),
  CHECK (may_owe OR posted - held >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE holds (
  key TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  expires_ms INTEGER NOT NULL,
  state INTEGER NOT NULL,
  captured INTEGER NOT NULL CHECK (captured BETWEEN 0 AND amount)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_holds ON holds (expires_ms) WHERE state = 0;
CREATE TABLE journal (
  sequence INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  payer TEXT NOT NULL,
  payee TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  kind TEXT NOT NULL,
  details TEXT NOT NULL,
  is_capture INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX journal_by_payer ON journal (payer, sequence);
CREATE INDEX journal_by_payee ON journal (payee, sequence);
CREATE TRIGGER journal_stays BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
CREATE TRIGGER journal_keeps BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
)sql",
};

}  // namespace

std::int64_t newest_version() {
  return kSteps.size();
}

Result<std::int64_t> version_of(Database& database) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return version.error();
  const auto application = database.number("PRAGMA application_id");
  if (!application) return application.error();
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  const bool is_empty = *tables == 0 && *version == 0;
  if (!is_empty && *application != kApplication) {
    return Error{Code::kDataLoss, database.path() + ": is a database of another program", {}, 0, 0};
  }
  return *version;
}

Status migrate(Database& database, std::int64_t version) {
  auto transaction = Transaction::begin(database, true);
  if (!transaction) return transaction.error();
  const auto now = version_of(database);
  if (!now) return now.error();
  if (*now > newest_version()) {
    return Error{Code::kFailedPrecondition,
                 database.path() + ": has version " + std::to_string(*now) +
                     ", this program knows those up to " + std::to_string(newest_version()) +
                     "; use a newer one",
                 {},
                 0,
                 0};
  }
  for (std::int64_t step = *now; step < version; ++step) {
    auto status = database.execute(kSteps[static_cast<std::size_t>(step)]);
    if (!status) return status;
  }
  if (*now < version) {
    auto status = database.execute("PRAGMA application_id = " + std::to_string(kApplication) +
                                   "; PRAGMA user_version = " + std::to_string(version));
    if (!status) return status;
  }
  return transaction->commit();
}

}  // namespace backplane::sqlite

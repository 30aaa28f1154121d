// SPDX-License-Identifier: Apache-2.0
// The ledger in an SQLite file: write-ahead log, one writer that commits in groups and waits for
// the disk. Several processes may have the file open; they take turns.
#pragma once

#include "runtime/store/ledger_store.hpp"
#include "runtime/store/ledger_writer.hpp"
#include "runtime/store/sqlite/database.hpp"
#include "runtime/store/sqlite/ledger_statements.hpp"

#include <backplane/clock.h>

#include <memory>
#include <mutex>
#include <string>

namespace backplane::sqlite {

class SqliteLedger final : public LedgerStore {
 public:
  // Makes the file where there is none, and brings it to the newest version. `clock` outlives this.
  static Result<std::unique_ptr<SqliteLedger>> open(const std::string& path, const bp_clock& clock);

  Status submit(LedgerCommand command, Answered answered) override;
  Result<Balance> balance(std::string_view account) override;
  Result<std::vector<EntryRow>> journal(std::string_view account, std::int64_t before,
                                        std::size_t limit) override;
  Status read_books(BooksReader& reader) override;
  Status check() override;
  Status back_up(const std::string& path) override;

 private:
  SqliteLedger(Database writing, LedgerStatements statements, Database reading,
               const bp_clock& clock);
  std::vector<LedgerResult> run(std::span<const LedgerCommand> commands);
  Result<std::vector<LedgerResult>> run_transaction(std::span<const LedgerCommand> commands);

  const bp_clock& clock_;
  Database writing_;             // of the writer's thread
  LedgerStatements statements_;  // on it
  std::mutex mutex_;
  Database reading_;  // guarded by mutex_
  LedgerWriter writer_;
};

}  // namespace backplane::sqlite

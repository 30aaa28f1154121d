// SPDX-License-Identifier: Apache-2.0
// How a batch's rows are read from the file and written to it; within a transaction.
#pragma once

#include "runtime/ledger/batch.hpp"
#include "runtime/store/sqlite/database.hpp"

#include <cstdint>
#include <vector>

namespace backplane::sqlite {

class LedgerStatements {
 public:
  static Result<LedgerStatements> prepare(Database& database);

  Result<bool> has_expired_holds(std::int64_t unix_ms);
  // What the batch asks for, and some of the holds whose time is over.
  Status load(LedgerBatch& batch, std::int64_t unix_ms);
  Status store(const LedgerBatch::Changes& changes);

 private:
  enum Which { kExpired, kHold, kEntry, kAccount, kOpen, kChange, kPlace, kEnd, kWrite, kCount };

  Statement& operator[](Which which) { return all_[which]; }
  Status load_holds(Statement& statement, LedgerBatch& batch);

  std::vector<Statement> all_;  // by Which
};

// Of a row whose columns are those of the table, in its order, from `first` on.
HoldRow hold_row(const Statement& row, int first = 0);
EntryRow entry_row(const Statement& row);

}  // namespace backplane::sqlite

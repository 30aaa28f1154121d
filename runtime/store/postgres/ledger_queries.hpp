// SPDX-License-Identifier: Apache-2.0
// How a batch's rows are read from the tables and written to them, a whole batch with a few
// statements. Rows are locked in the order of their keys, so that no two nodes block each other.
#pragma once

#include "runtime/ledger/batch.hpp"
#include "runtime/store/postgres/connection.hpp"

#include <cstdint>

namespace backplane::postgres {

// Begins a transaction and loads what the batch asks for, and some of the holds whose time is over.
Status load(Connection& connection, LedgerBatch& batch, std::int64_t unix_ms);

// Writes, and commits.
Status store(Connection& connection, const LedgerBatch::Changes& changes);

// Of row `row`, whose columns are those of the table from `first` on.
AccountRow account_row(const Rows& rows, int row);
HoldRow hold_row(const Rows& rows, int row, int first = 0);
EntryRow entry_row(const Rows& rows, int row);

}  // namespace backplane::postgres

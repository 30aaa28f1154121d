// SPDX-License-Identifier: Apache-2.0
// The ledger in a PostgreSQL database, for several nodes at once: each writes its batches as
// transactions of a few round trips.
#pragma once

#include "runtime/store/ledger_store.hpp"
#include "runtime/store/ledger_writer.hpp"
#include "runtime/store/postgres/connection.hpp"

#include <backplane/clock.h>

#include <memory>
#include <mutex>
#include <string>

namespace backplane::postgres {

class PostgresLedger final : public LedgerStore {
 public:
  static constexpr int kTriesMax = 8;  // of a transaction that others were in the way of

  // Makes the schema `backplane` where there is none, and brings it to the newest version. `clock`
  // outlives this.
  static Result<std::unique_ptr<PostgresLedger>> open(const std::string& url,
                                                      const bp_clock& clock);

  Status submit(LedgerCommand command, Answered answered) override;
  Result<Balance> balance(std::string_view account) override;
  Result<std::vector<EntryRow>> journal(std::string_view account, std::int64_t before,
                                        std::size_t limit) override;
  Status read_books(BooksReader& reader) override;
  Status check() override;
  Status back_up(const std::string& path) override;

 private:
  PostgresLedger(Connection writing, Connection reading, const bp_clock& clock);
  std::vector<LedgerResult> run(std::span<const LedgerCommand> commands);
  Result<std::vector<LedgerResult>> run_transaction(std::span<const LedgerCommand> commands);
  Status read_all(BooksReader& reader);

  const bp_clock& clock_;
  Connection writing_;  // of the writer's thread
  std::mutex mutex_;
  Connection reading_;  // guarded by mutex_
  LedgerWriter writer_;
};

}  // namespace backplane::postgres

// SPDX-License-Identifier: Apache-2.0
// Where the books are kept for good. The engines differ in nothing that can be seen here: one suite
// of tests runs on each.
#pragma once

#include "runtime/ledger/audit.hpp"
#include "runtime/ledger/command.hpp"
#include "runtime/ledger/rows.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

class LedgerStore {
 public:
  using Answered = std::function<void(LedgerResult)>;

  // Waits for what has been submitted.
  virtual ~LedgerStore() = default;

  // [any-thread] Commands of one thread are done in their order. `answered` is called once, on a
  // thread of the store and once the outcome is on disk; it must not block. When this fails it is
  // never called: INVALID_ARGUMENT, beyond a bound; RESOURCE_EXHAUSTED, too many wait.
  virtual Status submit(LedgerCommand command, Answered answered) = 0;

  // Submits and waits. [any-thread but the store's]
  LedgerResult execute(LedgerCommand command);

  // [any-thread but the store's] Of what is on disk; they wait for it. NOT_FOUND: no such account.
  virtual Result<Balance> balance(std::string_view account) = 0;
  // Of one account the newest entries first, from before `before` on (0: from the newest).
  virtual Result<std::vector<EntryRow>> journal(std::string_view account, std::int64_t before,
                                                std::size_t limit) = 0;
  virtual Status read_books(BooksReader& reader) = 0;
  // That the engine's own structures are whole. DATA_LOSS: they are not, and where.
  virtual Status check() = 0;
  // Writes a copy, as of one moment, to a file that is not there yet. ALREADY_EXISTS: it is.
  // UNIMPLEMENTED: the engine has a tool for it, which the error names.
  virtual Status back_up(const std::string& path) = 0;
};

}  // namespace backplane

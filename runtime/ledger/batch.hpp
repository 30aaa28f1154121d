// SPDX-License-Identifier: Apache-2.0
// The rules of the ledger: what a number of commands, one after the other, does to the rows that
// they touch. A store loads those rows, locked, has the commands applied here, and writes what has
// changed, all in one transaction; so every store has the same rules. Not thread-safe.
#pragma once

#include "runtime/ledger/command.hpp"
#include "runtime/ledger/rows.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace backplane {

class LedgerBatch {
 public:
  // `commands` are borrowed, within their bounds, and outlive this.
  LedgerBatch(std::span<const LedgerCommand> commands, std::int64_t unix_ms);

  // What to load, in this order, each in the order of its set so that no two stores block each
  // other: the holds of these keys and others whose time is over, and the journal's entries...
  const std::set<std::string>& hold_keys() const { return hold_keys_; }
  const std::set<std::string>& entry_keys() const { return entry_keys_; }
  void load(HoldRow row);
  void load(EntryRow row);
  // ... then these accounts, those of the holds among them.
  const std::set<std::string>& account_names() const { return account_names_; }
  void load(AccountRow row);

  // Once. Ends the holds whose time is over, then one answer for each command. No command that
  // fails has changed anything.
  std::vector<LedgerResult> apply();

  // What to write. Pointers into this.
  struct Changes {
    std::vector<const AccountRow*> opened;
    std::vector<const AccountRow*> accounts;  // whose balances have changed; none that was opened
    std::vector<const HoldRow*> placed;
    std::vector<const HoldRow*> ended;     // none that was placed
    std::vector<const EntryRow*> entries;  // in their order, without sequence
  };
  Changes changes() const;

 private:
  template <class Row>
  struct Kept {
    Row row;
    bool is_new = false;
    bool is_changed = false;
  };

  LedgerResult apply(const OpenAccount& command);
  LedgerResult apply(const Transfer& command);
  LedgerResult apply(const Hold& command);
  LedgerResult apply(const Capture& command);
  LedgerResult apply(const Void& command);
  void end(Kept<HoldRow>& hold, HoldState state);
  void move(const std::string& from, const std::string& to, NanoUsd amount);
  void write(EntryRow entry);
  Kept<AccountRow>* find_account(const std::string& name);
  LedgerOutcome outcome(const std::string& account, bool repeated);

  const std::span<const LedgerCommand> commands_;
  const std::int64_t unix_ms_;
  std::set<std::string> hold_keys_;
  std::set<std::string> entry_keys_;
  std::set<std::string> account_names_;
  std::map<std::string, Kept<AccountRow>> accounts_;
  std::map<std::string, Kept<HoldRow>> holds_;
  std::map<std::string, EntryRow> entries_;  // by key
  std::vector<const EntryRow*> written_;     // of entries_
};

}  // namespace backplane

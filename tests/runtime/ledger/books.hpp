// SPDX-License-Identifier: Apache-2.0
// Books in memory, kept as a store keeps them: load, apply, write.
#pragma once

#include "runtime/ledger/audit.hpp"
#include "runtime/ledger/batch.hpp"

#include <map>
#include <string>
#include <vector>

namespace backplane::test {

class Books {
 public:
  std::int64_t unix_ms = 1000;
  std::map<std::string, AccountRow> accounts;
  std::map<std::string, HoldRow> holds;
  std::vector<EntryRow> journal;

  std::vector<LedgerResult> run(const std::vector<LedgerCommand>& commands) {
    LedgerBatch batch(commands, unix_ms);
    load(batch);
    std::vector<LedgerResult> results = batch.apply();
    write(batch.changes());
    return results;
  }
  LedgerResult run(LedgerCommand command) {
    return run(std::vector<LedgerCommand>{std::move(command)}).front();
  }
  Balance balance(const std::string& account) const { return accounts.at(account).balance; }

  Audit::Report audit() const {
    Audit audit;
    for (const auto& [name, account] : accounts) audit.take(account);
    for (const auto& [key, hold] : holds) {
      std::uint64_t entries = 0;
      NanoUsd entered = 0;
      for (const EntryRow& entry : journal) {
        if (!entry.is_capture || entry.key != key) continue;
        ++entries;
        entered += entry.amount;
      }
      audit.take(hold, entries, entered);
    }
    for (const EntryRow& entry : journal) {
      const auto hold = holds.find(entry.key);
      const bool is_of_hold = entry.is_capture && hold != holds.end();
      audit.take(entry, is_of_hold ? &hold->second : nullptr);
    }
    return audit.finish();
  }

 private:
  void load(LedgerBatch& batch) const {
    for (const auto& [key, hold] : holds) {
      const bool is_due = hold.state == HoldState::kLive && hold.expires_unix_ms <= unix_ms;
      if (is_due || batch.hold_keys().contains(key)) batch.load(hold);
    }
    for (const EntryRow& entry : journal) {
      if (batch.entry_keys().contains(entry.key)) batch.load(entry);
    }
    for (const auto& [name, account] : accounts) {
      if (batch.account_names().contains(name)) batch.load(account);
    }
  }
  void write(const LedgerBatch::Changes& changes) {
    for (const AccountRow* row : changes.opened) accounts[row->name] = *row;
    for (const AccountRow* row : changes.accounts) accounts.at(row->name) = *row;
    for (const HoldRow* row : changes.placed) holds[row->key] = *row;
    for (const HoldRow* row : changes.ended) holds.at(row->key) = *row;
    for (const EntryRow* row : changes.entries) {
      journal.push_back(*row);
      journal.back().sequence = static_cast<std::int64_t>(journal.size());
    }
  }
};

}  // namespace backplane::test

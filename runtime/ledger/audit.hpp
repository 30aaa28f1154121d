// SPDX-License-Identifier: Apache-2.0
// The proof that books are right: given every row there is, says what is wrong with them.
#pragma once

#include "runtime/ledger/rows.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace backplane {

// Takes the rows of a store as of one moment: all accounts, then all holds, then the journal in its
// order. Not thread-safe; keeps the accounts, not the rest.
class BooksReader {
 public:
  virtual ~BooksReader() = default;
  virtual void take(const AccountRow& account) = 0;
  // `entries`: how many of the journal are of this hold; `entered`: the sum of their amounts.
  virtual void take(const HoldRow& hold, std::uint64_t entries, NanoUsd entered) = 0;
  // `hold`: the one that the entry's key names, where it is a capture and there is one; or null.
  virtual void take(const EntryRow& entry, const HoldRow* hold) = 0;
};

class Audit final : public BooksReader {
 public:
  static constexpr std::size_t kFaultsMax = 100;  // that are told; all are counted

  void take(const AccountRow& account) override;
  void take(const HoldRow& hold, std::uint64_t entries, NanoUsd entered) override;
  void take(const EntryRow& entry, const HoldRow* hold) override;

  struct Report {
    std::uint64_t accounts = 0;
    std::uint64_t live_holds = 0;
    std::uint64_t holds = 0;
    std::uint64_t entries = 0;
    std::uint64_t faults_count = 0;
    std::vector<std::string> faults;  // one sentence each
    bool is_clean() const { return faults_count == 0; }
  };
  // Once, after the last row: debits equal credits; every balance is the sum of the journal, every
  // held sum that of the live holds; no account owes that may not; each captured hold has one entry
  // of the journal, within its amount, and no other hold has one.
  Report finish();

 private:
  struct Sums {
    AccountRow row;
    NanoUsd posted = 0;
    NanoUsd held = 0;
  };
  void fault(std::string what);
  Sums* find(const std::string& account, const std::string& whose);

  std::map<std::string, Sums> accounts_;
  std::int64_t last_sequence_ = 0;
  Report report_;
};

}  // namespace backplane

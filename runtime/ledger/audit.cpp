// SPDX-License-Identifier: Apache-2.0
#include "runtime/ledger/audit.hpp"

#include <utility>

namespace backplane {
namespace {

std::string nano_usd(NanoUsd amount) {
  return std::to_string(amount) + " nano-USD";
}

// Books with a fault may hold any numbers.
NanoUsd sum(NanoUsd left, NanoUsd right) {
  NanoUsd result = 0;
  if (__builtin_add_overflow(left, right, &result)) return left < 0 ? INT64_MIN : INT64_MAX;
  return result;
}

}  // namespace

void Audit::take(const AccountRow& account) {
  ++report_.accounts;
  accounts_[account.name].row = account;
}

void Audit::take(const HoldRow& hold, std::uint64_t entries, NanoUsd entered) {
  ++report_.holds;
  const std::string name = "hold \"" + hold.key + "\"";
  Sums* account = find(hold.account, name);
  if (hold.amount < 0) fault(name + " is of " + nano_usd(hold.amount));
  if (hold.state == HoldState::kLive) {
    ++report_.live_holds;
    if (account != nullptr) account->held = sum(account->held, hold.amount);
  }
  if (hold.state != HoldState::kCaptured) {
    if (entries != 0) fault(name + " is in the journal and was not captured");
    if (hold.captured != 0) fault(name + " was not captured, and " + nano_usd(hold.captured));
    return;
  }
  if (entries != 1) fault(name + " was captured " + std::to_string(entries) + " times");
  if (entries == 1 && entered != hold.captured) {
    fault(name + " says " + nano_usd(hold.captured) + ", the journal " + nano_usd(entered));
  }
  if (hold.captured > hold.amount) fault(name + " was captured beyond its amount");
}

void Audit::take(const EntryRow& entry, const HoldRow* hold) {
  ++report_.entries;
  const std::string name = "entry " + std::to_string(entry.sequence);
  if (entry.sequence <= last_sequence_) fault(name + " is out of its order");
  last_sequence_ = entry.sequence;
  if (entry.amount < 0) fault(name + " moves " + nano_usd(entry.amount));
  if (entry.from == entry.to) fault(name + " moves nothing: both accounts are the same");
  if (Sums* from = find(entry.from, name)) from->posted = sum(from->posted, -entry.amount);
  if (Sums* to = find(entry.to, name)) to->posted = sum(to->posted, entry.amount);
  if (!entry.is_capture) return;
  if (hold == nullptr) {
    fault(name + " captures the hold \"" + entry.key + "\", which there is not");
  } else if (hold->account != entry.from) {
    fault(name + " takes from \"" + entry.from + "\" what was held of \"" + hold->account + "\"");
  }
}

Audit::Report Audit::finish() {
  NanoUsd total = 0;
  for (const auto& [name, sums] : accounts_) {
    const AccountRow& row = sums.row;
    const std::string account = "account \"" + name + "\"";
    total = sum(total, row.balance.posted);
    if (row.balance.posted != sums.posted) {
      fault(account + " has " + nano_usd(row.balance.posted) + ", by the journal " +
            nano_usd(sums.posted));
    }
    if (row.balance.held != sums.held) {
      fault(account + " holds " + nano_usd(row.balance.held) + ", by its holds " +
            nano_usd(sums.held));
    }
    if (!row.may_owe && sum(row.balance.posted, -row.balance.held) < 0) {
      fault(account + " owes and may not");
    }
  }
  if (total != 0) fault("the books sum to " + nano_usd(total) + ", not to nothing");
  return std::move(report_);
}

void Audit::fault(std::string what) {
  if (++report_.faults_count <= kFaultsMax) report_.faults.push_back(std::move(what));
}

Audit::Sums* Audit::find(const std::string& account, const std::string& whose) {
  const auto found = accounts_.find(account);
  if (found != accounts_.end()) return &found->second;
  fault(whose + " names the account \"" + account + "\", which there is not");
  return nullptr;
}

}  // namespace backplane

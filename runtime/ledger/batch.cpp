// SPDX-License-Identifier: Apache-2.0
#include "runtime/ledger/batch.hpp"

#include <cassert>
#include <utility>

namespace backplane {
namespace {

std::string in_usd(NanoUsd amount) {
  std::string digits = std::to_string(amount < 0 ? -amount : amount);
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  digits.insert(digits.size() - 9, ".");
  while (digits.ends_with('0') && digits.find('.') + 3 < digits.size()) digits.pop_back();
  return (amount < 0 ? "-$" : "$") + digits;
}

Error no_account(const std::string& name) {
  return {Code::kNotFound, "there is no account \"" + name + "\"", {}, 0, 0};
}
Error no_hold(const std::string& key) {
  return {Code::kNotFound, "there is no hold \"" + key + "\"", {}, 0, 0};
}
Error key_taken(const std::string& key) {
  return {Code::kAlreadyExists, "the key \"" + key + "\" stands for something else", {}, 0, 0};
}
Error insufficient(NanoUsd available, NanoUsd required) {
  return {Code::kFailedPrecondition,
          "Insufficient balance. Current: " + in_usd(available) + ", required: " + in_usd(required),
          "INSUFFICIENT_BALANCE", 402, 0};
}
Error hold_ended(const std::string& key, HoldState state) {
  constexpr const char* kHow[] = {"is live", "was captured", "was voided", "has expired"};
  return {Code::kFailedPrecondition,
          "the hold \"" + key + "\" " + kHow[static_cast<std::size_t>(state)], "HOLD_ENDED", 0, 0};
}
Error hold_too_small(const HoldRow& hold, NanoUsd amount) {
  return {
      Code::kFailedPrecondition,
      "the hold \"" + hold.key + "\" is of " + in_usd(hold.amount) + ", not of " + in_usd(amount),
      "HOLD_TOO_SMALL", 0, 0};
}
Error beyond_bound() {
  return {Code::kOutOfRange, "an account's balance would leave its range", {}, 0, 0};
}

bool has(const AccountRow& account, NanoUsd amount) {
  return account.may_owe || account.balance.available() >= amount;
}

bool within_range(NanoUsd balance, NanoUsd change) {
  const NanoUsd after = balance + change;
  return after >= -4 * kAmountMax && after <= 4 * kAmountMax;
}

}  // namespace

LedgerBatch::LedgerBatch(std::span<const LedgerCommand> commands, std::int64_t unix_ms)
    : commands_(commands), unix_ms_(unix_ms) {
  for (const LedgerCommand& command : commands_) {
    if (const auto* open = std::get_if<OpenAccount>(&command)) {
      account_names_.insert(open->account);
    } else if (const auto* transfer = std::get_if<Transfer>(&command)) {
      entry_keys_.insert(transfer->key);
      account_names_.insert({transfer->from, transfer->to});
    } else if (const auto* hold = std::get_if<Hold>(&command)) {
      hold_keys_.insert(hold->key);
      account_names_.insert(hold->account);
    } else if (const auto* capture = std::get_if<Capture>(&command)) {
      hold_keys_.insert(capture->hold);
      entry_keys_.insert(capture->hold);
      account_names_.insert(capture->to);
    } else {
      hold_keys_.insert(std::get<Void>(command).hold);
    }
  }
}

void LedgerBatch::load(HoldRow row) {
  account_names_.insert(row.account);
  std::string key = row.key;
  holds_.insert({std::move(key), {std::move(row)}});
}

void LedgerBatch::load(EntryRow row) {
  std::string key = row.key;
  entries_.insert({std::move(key), std::move(row)});
}

void LedgerBatch::load(AccountRow row) {
  std::string name = row.name;
  accounts_.insert({std::move(name), {std::move(row)}});
}

std::vector<LedgerResult> LedgerBatch::apply() {
  for (auto& [key, hold] : holds_) {
    const bool is_over = hold.row.expires_unix_ms <= unix_ms_;
    if (hold.row.state == HoldState::kLive && is_over) end(hold, HoldState::kExpired);
  }
  std::vector<LedgerResult> results;
  results.reserve(commands_.size());
  for (const LedgerCommand& command : commands_) {
    results.push_back(std::visit([this](const auto& given) { return apply(given); }, command));
  }
  return results;
}

LedgerResult LedgerBatch::apply(const OpenAccount& command) {
  const auto [place, is_new] = accounts_.try_emplace(command.account);
  if (is_new) place->second = {{command.account, command.may_owe, {}}, true, false};
  return outcome(command.account, !is_new);
}

LedgerResult LedgerBatch::apply(const Transfer& command) {
  if (const auto before = entries_.find(command.key); before != entries_.end()) {
    const EntryRow& entry = before->second;
    const bool is_same = !entry.is_capture && entry.from == command.from &&
                         entry.to == command.to && entry.amount == command.amount &&
                         entry.kind == command.kind;
    if (!is_same) return key_taken(command.key);
    return outcome(command.from, true);
  }
  const auto* from = find_account(command.from);
  const auto* to = find_account(command.to);
  if (from == nullptr) return no_account(command.from);
  if (to == nullptr) return no_account(command.to);
  if (!has(from->row, command.amount)) {
    return insufficient(from->row.balance.available(), command.amount);
  }
  if (!within_range(from->row.balance.posted, -command.amount) ||
      !within_range(to->row.balance.posted, command.amount)) {
    return beyond_bound();
  }
  move(command.from, command.to, command.amount);
  write({0, command.key, command.from, command.to, command.amount, command.kind, command.details,
         false, unix_ms_});
  return outcome(command.from, false);
}

LedgerResult LedgerBatch::apply(const Hold& command) {
  if (const auto before = holds_.find(command.key); before != holds_.end()) {
    const HoldRow& row = before->second.row;
    const bool is_same = row.account == command.account && row.amount == command.amount;
    if (!is_same) return key_taken(command.key);
    if (row.state != HoldState::kLive) return hold_ended(command.key, row.state);
    return outcome(command.account, true);
  }
  if (command.expires_unix_ms <= unix_ms_) return invalid_argument("a hold ends in the future");
  auto* account = find_account(command.account);
  if (account == nullptr) return no_account(command.account);
  if (!has(account->row, command.amount)) {
    return insufficient(account->row.balance.available(), command.amount);
  }
  if (!within_range(account->row.balance.held, command.amount)) return beyond_bound();
  account->row.balance.held += command.amount;
  account->is_changed = true;
  holds_.insert({command.key,
                 {{command.key, command.account, command.amount, command.expires_unix_ms,
                   HoldState::kLive, 0},
                  true,
                  false}});
  return outcome(command.account, false);
}

LedgerResult LedgerBatch::apply(const Capture& command) {
  const auto found = holds_.find(command.hold);
  if (found == holds_.end()) return no_hold(command.hold);
  Kept<HoldRow>& hold = found->second;
  const auto before = entries_.find(command.hold);
  if (hold.row.state == HoldState::kCaptured) {
    assert(before != entries_.end());
    const bool is_same = before->second.to == command.to && hold.row.captured == command.amount;
    if (!is_same) return hold_ended(command.hold, hold.row.state);
    return outcome(hold.row.account, true);
  }
  if (hold.row.state != HoldState::kLive) return hold_ended(command.hold, hold.row.state);
  if (before != entries_.end()) return key_taken(command.hold);
  if (command.to == hold.row.account) {
    return invalid_argument("money moves between two accounts");
  }
  if (command.amount > hold.row.amount) return hold_too_small(hold.row, command.amount);
  const auto* to = find_account(command.to);
  if (to == nullptr) return no_account(command.to);
  if (!within_range(to->row.balance.posted, command.amount)) return beyond_bound();
  end(hold, HoldState::kCaptured);
  hold.row.captured = command.amount;
  move(hold.row.account, command.to, command.amount);
  write({0, command.hold, hold.row.account, command.to, command.amount, command.kind,
         command.details, true, unix_ms_});
  return outcome(hold.row.account, false);
}

LedgerResult LedgerBatch::apply(const Void& command) {
  const auto found = holds_.find(command.hold);
  if (found == holds_.end()) return no_hold(command.hold);
  Kept<HoldRow>& hold = found->second;
  if (hold.row.state == HoldState::kCaptured) return hold_ended(command.hold, hold.row.state);
  const bool is_live = hold.row.state == HoldState::kLive;
  if (is_live) end(hold, HoldState::kVoided);
  return outcome(hold.row.account, !is_live);
}

void LedgerBatch::end(Kept<HoldRow>& hold, HoldState state) {
  auto* account = find_account(hold.row.account);
  assert(account != nullptr);
  account->row.balance.held -= hold.row.amount;
  account->is_changed = true;
  hold.row.state = state;
  hold.is_changed = true;
}

void LedgerBatch::move(const std::string& from, const std::string& to, NanoUsd amount) {
  for (const auto& [name, change] : {std::pair(&from, -amount), std::pair(&to, amount)}) {
    auto* account = find_account(*name);
    account->row.balance.posted += change;
    account->is_changed = true;
  }
}

void LedgerBatch::write(EntryRow entry) {
  std::string key = entry.key;
  const auto place = entries_.insert({std::move(key), std::move(entry)}).first;
  written_.push_back(&place->second);
}

LedgerBatch::Kept<AccountRow>* LedgerBatch::find_account(const std::string& name) {
  const auto found = accounts_.find(name);
  return found == accounts_.end() ? nullptr : &found->second;
}

LedgerOutcome LedgerBatch::outcome(const std::string& account, bool repeated) {
  return {repeated, find_account(account)->row.balance};
}

LedgerBatch::Changes LedgerBatch::changes() const {
  Changes changes;
  for (const auto& [name, account] : accounts_) {
    if (account.is_new) {
      changes.opened.push_back(&account.row);
    } else if (account.is_changed) {
      changes.accounts.push_back(&account.row);
    }
  }
  for (const auto& [key, hold] : holds_) {
    if (hold.is_new) {
      changes.placed.push_back(&hold.row);
    } else if (hold.is_changed) {
      changes.ended.push_back(&hold.row);
    }
  }
  changes.entries = written_;
  return changes;
}

}  // namespace backplane

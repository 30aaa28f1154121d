// SPDX-License-Identifier: Apache-2.0
// What can be done with money: it moves from one account to another and never appears, so that the
// books sum to zero. What a call may cost is held first, then captured (what it did cost) or
// voided. Every command has a key of the caller's choice and is done once, however often it comes.
#pragma once

#include <backplane/result.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace backplane {

using NanoUsd = std::int64_t;

inline constexpr NanoUsd kAmountMax = 1'000'000'000'000'000'000;  // a thousand million USD
inline constexpr std::size_t kAccountBytesMax = 256;
inline constexpr std::size_t kLedgerKeyBytesMax = 256;
inline constexpr std::size_t kKindBytesMax = 32;
inline constexpr std::size_t kDetailsBytesMax = 4096;

// One that is there already stays as it is.
struct OpenAccount {
  std::string account;
  bool may_owe = false;  // where money comes from: its balance may go below zero
};

struct Transfer {
  std::string key;
  std::string from;
  std::string to;
  NanoUsd amount = 0;   // above zero
  std::string kind;     // a word for reports: "deposit", "refund"
  std::string details;  // for people and reports; not compared when the command comes again
};

// Sets money aside until it is captured or voided, or its time is over.
struct Hold {
  std::string key;
  std::string account;
  NanoUsd amount = 0;  // zero or more
  std::int64_t expires_unix_ms = 0;
};

// Moves some of what a hold has set aside, nothing to all of it; the rest is free again.
struct Capture {
  std::string hold;
  std::string to;
  NanoUsd amount = 0;
  std::string kind;
  std::string details;
};

struct Void {
  std::string hold;
};

using LedgerCommand = std::variant<OpenAccount, Transfer, Hold, Capture, Void>;

struct Balance {
  NanoUsd posted = 0;  // what came less what went
  NanoUsd held = 0;    // of live holds
  NanoUsd available() const { return posted - held; }
};

struct LedgerOutcome {
  bool repeated = false;  // it had been done before; nothing moved now
  Balance balance;        // after it, of the account that pays or was opened
};

// Errors of a command:
//   FAILED_PRECONDITION  of type INSUFFICIENT_BALANCE, the account has not so much; HOLD_ENDED, the
//                        hold was captured otherwise or voided, or has expired; HOLD_TOO_SMALL
//   NOT_FOUND            no such account or hold
//   ALREADY_EXISTS       the key stands for something else
//   INVALID_ARGUMENT     beyond a bound, both accounts are the same, a hold's time is over
//   OUT_OF_RANGE         a balance would leave the numbers that there are
//   UNAVAILABLE          the store failed; whether it was done, the same command tells when it
//                        comes again
using LedgerResult = Result<LedgerOutcome>;

// INVALID_ARGUMENT: a name, a key or an amount is beyond a bound.
Status check_bounds(const LedgerCommand& command);

}  // namespace backplane

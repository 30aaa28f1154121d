// SPDX-License-Identifier: Apache-2.0
// What the books consist of.
#pragma once

#include "runtime/ledger/command.hpp"

#include <cstdint>
#include <string>

namespace backplane {

struct AccountRow {
  std::string name;
  bool may_owe = false;
  Balance balance;
};

enum class HoldState : std::uint8_t { kLive = 0, kCaptured = 1, kVoided = 2, kExpired = 3 };

struct HoldRow {
  std::string key;
  std::string account;
  NanoUsd amount = 0;
  std::int64_t expires_unix_ms = 0;
  HoldState state = HoldState::kLive;
  NanoUsd captured = 0;
};

// A line of the journal, which nothing changes or removes.
struct EntryRow {
  std::int64_t sequence = 0;  // ascending; given by the store
  std::string key;            // of the transfer, or of the hold that was captured
  std::string from;
  std::string to;
  NanoUsd amount = 0;
  std::string kind;
  std::string details;
  bool is_capture = false;
  std::int64_t unix_ms = 0;
};

}  // namespace backplane

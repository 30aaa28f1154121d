// SPDX-License-Identifier: Apache-2.0
#include "runtime/ledger/command.hpp"

#include <simdjson.h>

#include <string_view>

namespace backplane {
namespace {

class BoundsCheck {
 public:
  Status operator()(const OpenAccount& command) const { return account(command.account); }
  Status operator()(const Transfer& command) const {
    if (auto status = key(command.key); !status) return status;
    if (auto status = account(command.from); !status) return status;
    if (auto status = account(command.to); !status) return status;
    if (command.from == command.to) return invalid_argument("money moves between two accounts");
    if (command.amount == 0) return invalid_argument("a transfer moves more than nothing");
    return entry(command.amount, command.kind, command.details);
  }
  Status operator()(const Hold& command) const {
    if (auto status = key(command.key); !status) return status;
    if (auto status = account(command.account); !status) return status;
    return amount(command.amount);
  }
  Status operator()(const Capture& command) const {
    if (auto status = key(command.hold); !status) return status;
    if (auto status = account(command.to); !status) return status;
    return entry(command.amount, command.kind, command.details);
  }
  Status operator()(const Void& command) const { return key(command.hold); }

 private:
  static Status text(std::string_view what, std::string_view given, std::size_t most) {
    const bool is_text =
        given.find('\0') == given.npos && simdjson::validate_utf8(given.data(), given.size());
    if (!given.empty() && given.size() <= most && is_text) return ok();
    return invalid_argument(std::string(what) + " has 1 to " + std::to_string(most) +
                            " bytes of UTF-8, none of them zero");
  }
  static Status key(std::string_view given) { return text("a key", given, kLedgerKeyBytesMax); }
  static Status account(std::string_view given) {
    return text("an account's name", given, kAccountBytesMax);
  }
  static Status amount(NanoUsd given) {
    if (given >= 0 && given <= kAmountMax) return ok();
    return invalid_argument("an amount is 0 to " + std::to_string(kAmountMax) + " nano-USD");
  }
  static Status entry(NanoUsd given, std::string_view kind, std::string_view details) {
    if (auto status = amount(given); !status) return status;
    if (auto status = text("a kind", kind, kKindBytesMax); !status) return status;
    return details.empty() ? ok() : text("details", details, kDetailsBytesMax);
  }
};

}  // namespace

Status check_bounds(const LedgerCommand& command) {
  return std::visit(BoundsCheck(), command);
}

}  // namespace backplane

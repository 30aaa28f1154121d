// SPDX-License-Identifier: Apache-2.0
#include "runtime/ledger/command.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

struct BoundCase {
  const char* name;
  LedgerCommand command;
  const char* expected;  // of the message; null: within bounds
};

TEST(LedgerCommand, IsHeldToItsBounds) {
  const std::string long_key(kLedgerKeyBytesMax + 1, 'k');
  const BoundCase cases[] = {
      {"account", OpenAccount{"user:1"}, nullptr},
      {"no name", OpenAccount{""}, "an account's name has 1 to 256 bytes"},
      {"zero byte", OpenAccount{std::string("a\0b", 3)}, "none of them zero"},
      {"no text", OpenAccount{"a\xff"}, "bytes of UTF-8"},
      {"transfer", Transfer{"k", "a", "b", 1, "deposit", ""}, nullptr},
      {"key", Transfer{long_key, "a", "b", 1, "deposit", ""}, "a key has 1 to 256 bytes"},
      {"same account", Transfer{"k", "a", "a", 1, "deposit", ""}, "between two accounts"},
      {"nothing", Transfer{"k", "a", "b", 0, "deposit", ""}, "more than nothing"},
      {"below zero", Transfer{"k", "a", "b", -1, "deposit", ""}, "an amount is 0 to"},
      {"too much", Transfer{"k", "a", "b", kAmountMax + 1, "deposit", ""}, "an amount is 0 to"},
      {"no kind", Transfer{"k", "a", "b", 1, "", ""}, "a kind has 1 to 32 bytes"},
      {"details", Capture{"k", "b", 1, "call", std::string(kDetailsBytesMax + 1, 'd')},
       "details has 1 to 4096 bytes"},
      {"hold of nothing", Hold{"k", "a", 0, 1}, nullptr},
      {"hold below zero", Hold{"k", "a", -1, 1}, "an amount is 0 to"},
      {"capture of nothing", Capture{"k", "b", 0, "call", ""}, nullptr},
      {"void", Void{""}, "a key has 1 to 256 bytes"},
  };
  for (const BoundCase& test : cases) {
    const Status status = check_bounds(test.command);
    if (test.expected == nullptr) {
      EXPECT_TRUE(status) << test.name;
      continue;
    }
    ASSERT_FALSE(status) << test.name;
    EXPECT_EQ(status.error().code, Code::kInvalidArgument);
    EXPECT_NE(status.error().message.find(test.expected), std::string::npos)
        << test.name << ": " << status.error().message;
  }
}

}  // namespace
}  // namespace backplane::test

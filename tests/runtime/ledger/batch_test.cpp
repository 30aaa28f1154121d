// SPDX-License-Identifier: Apache-2.0
#include "runtime/ledger/batch.hpp"

#include "tests/runtime/ledger/books.hpp"

#include <gtest/gtest.h>

#include <random>

namespace backplane::test {
namespace {

class LedgerBatchTest : public testing::Test {
 protected:
  LedgerBatchTest() {
    books.run({OpenAccount{"world", true}, OpenAccount{"user"}, OpenAccount{"revenue"},
               Transfer{"d1", "world", "user", 1000, "deposit", ""}});
  }
  ~LedgerBatchTest() override {
    const auto report = books.audit();
    EXPECT_TRUE(report.is_clean()) << report.faults.front();
  }
  // "ok 990/10", "again 990/10" (what is posted, what is held), or the error's type or code.
  std::string run(LedgerCommand command) {
    const LedgerResult result = books.run(std::move(command));
    if (!result) {
      const std::string& type = result.error().type;
      return type.empty() ? "code " + std::to_string(static_cast<int>(result.error().code)) : type;
    }
    return (result->repeated ? "again " : "ok ") + std::to_string(result->balance.posted) + "/" +
           std::to_string(result->balance.held);
  }
  static Hold hold(const char* key, NanoUsd amount) { return {key, "user", amount, 5000}; }
  static Capture capture(const char* key, NanoUsd amount) {
    return {key, "revenue", amount, "call", ""};
  }
  Books books;
};

TEST_F(LedgerBatchTest, ACallIsHeldThenCaptured) {
  EXPECT_EQ(run(hold("c1", 300)), "ok 1000/300");
  EXPECT_EQ(run(capture("c1", 120)), "ok 880/0") << "the rest is free again";
  EXPECT_EQ(books.balance("revenue").posted, 120);
}

TEST_F(LedgerBatchTest, ACallThatCostsNothingIsInTheJournal) {
  EXPECT_EQ(run(hold("c1", 300)), "ok 1000/300");
  EXPECT_EQ(run(capture("c1", 0)), "ok 1000/0");
  EXPECT_EQ(books.journal.back().key, "c1");
}

TEST_F(LedgerBatchTest, WhatIsHeldCannotBeSpentTwice) {
  EXPECT_EQ(run(hold("c1", 700)), "ok 1000/700");
  EXPECT_EQ(run(hold("c2", 301)), "INSUFFICIENT_BALANCE");
  EXPECT_EQ(run(Transfer{"t", "user", "revenue", 301, "fee", ""}), "INSUFFICIENT_BALANCE");
  EXPECT_EQ(run(hold("c2", 300)), "ok 1000/1000");
  EXPECT_EQ(run(Void{"c1"}), "ok 1000/300");
  EXPECT_EQ(run(Transfer{"t", "user", "revenue", 301, "fee", ""}), "ok 699/300");
}

TEST_F(LedgerBatchTest, EveryCommandIsDoneOnce) {
  EXPECT_EQ(run(Transfer{"d1", "world", "user", 1000, "deposit", "other words"}), "again -1000/0");
  EXPECT_EQ(run(hold("c1", 300)), "ok 1000/300");
  EXPECT_EQ(run(hold("c1", 300)), "again 1000/300");
  EXPECT_EQ(run(capture("c1", 100)), "ok 900/0");
  EXPECT_EQ(run(capture("c1", 100)), "again 900/0");
  EXPECT_EQ(run(hold("c2", 50)), "ok 900/50");
  EXPECT_EQ(run(Void{"c2"}), "ok 900/0");
  EXPECT_EQ(run(Void{"c2"}), "again 900/0");
  EXPECT_EQ(run(OpenAccount{"user", true}), "again 900/0");
  EXPECT_FALSE(books.accounts.at("user").may_owe);
}

TEST_F(LedgerBatchTest, AKeyStandsForOneThing) {
  constexpr const char* kTaken = "code 6";
  EXPECT_EQ(run(Transfer{"d1", "world", "user", 1001, "deposit", ""}), kTaken);
  EXPECT_EQ(run(Transfer{"d1", "world", "revenue", 1000, "deposit", ""}), kTaken);
  EXPECT_EQ(run(hold("c1", 300)), "ok 1000/300");
  EXPECT_EQ(run(hold("c1", 301)), kTaken);
  EXPECT_EQ(run(hold("d1", 1)), "ok 1000/301");
  EXPECT_EQ(run(capture("d1", 1)), kTaken) << "it is a transfer's";
}

TEST_F(LedgerBatchTest, AHoldEndsOnce) {
  EXPECT_EQ(run(hold("c1", 300)), "ok 1000/300");
  EXPECT_EQ(run(capture("c1", 301)), "HOLD_TOO_SMALL");
  EXPECT_EQ(run(Capture{"c1", "user", 1, "call", ""}), "code 3") << "to itself";
  EXPECT_EQ(run(capture("c1", 300)), "ok 700/0");
  EXPECT_EQ(run(capture("c1", 299)), "HOLD_ENDED");
  EXPECT_EQ(run(Void{"c1"}), "HOLD_ENDED");
  EXPECT_EQ(run(hold("c1", 300)), "HOLD_ENDED");
  EXPECT_EQ(run(hold("c2", 1)), "ok 700/1");
  EXPECT_EQ(run(Void{"c2"}), "ok 700/0");
  EXPECT_EQ(run(capture("c2", 1)), "HOLD_ENDED");
}

TEST_F(LedgerBatchTest, AHoldExpires) {
  EXPECT_EQ(run(hold("c1", 300)), "ok 1000/300");
  books.unix_ms = 4999;
  EXPECT_EQ(run(hold("c1", 300)), "again 1000/300");
  books.unix_ms = 5000;
  EXPECT_EQ(run(Transfer{"t", "user", "revenue", 1000, "fee", ""}), "ok 0/0");
  EXPECT_EQ(run(capture("c1", 1)), "HOLD_ENDED");
  EXPECT_EQ(run(Void{"c1"}), "again 0/0") << "nothing is held, as was asked";
  EXPECT_EQ(run(Hold{"c2", "user", 0, 5000}), "code 3");
}

TEST_F(LedgerBatchTest, WhatIsNotThereIsNotFound) {
  constexpr const char* kNotFound = "code 5";
  EXPECT_EQ(run(Transfer{"t", "nobody", "user", 1, "fee", ""}), kNotFound);
  EXPECT_EQ(run(Transfer{"t", "user", "nobody", 1, "fee", ""}), kNotFound);
  EXPECT_EQ(run(Hold{"c", "nobody", 1, 5000}), kNotFound);
  EXPECT_EQ(run(capture("c", 1)), kNotFound);
  EXPECT_EQ(run(Void{"c"}), kNotFound);
  EXPECT_EQ(run(hold("c", 1)), "ok 1000/1");
  EXPECT_EQ(run(Capture{"c", "nobody", 1, "call", ""}), kNotFound);
}

TEST_F(LedgerBatchTest, BalancesStayWithinTheirNumbers) {
  for (int i = 0; i < 4; ++i) {
    run(Transfer{"m" + std::to_string(i), "world", "user", kAmountMax, "deposit", ""});
  }
  EXPECT_EQ(run(Transfer{"last", "world", "user", kAmountMax, "deposit", ""}), "code 11");
}

TEST_F(LedgerBatchTest, TellsInDollarsWhatIsMissing) {
  const LedgerResult result = books.run(hold("c1", 1'200'000'000));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "Insufficient balance. Current: $0.000001, required: $1.20");
}

TEST_F(LedgerBatchTest, CommandsOfOneBatchFollowEachOther) {
  const auto results =
      books.run({Hold{"c1", "user", 600, 5000}, Hold{"c2", "user", 600, 5000}, Void{"c1"},
                 Hold{"c2", "user", 600, 5000}, Capture{"c2", "revenue", 600, "call", ""},
                 OpenAccount{"late"}, Transfer{"t", "user", "late", 400, "fee", ""}});
  std::string outcome;
  for (const LedgerResult& result : results) outcome += result ? '+' : '-';
  EXPECT_EQ(outcome, "+-+++++");
  EXPECT_EQ(books.balance("user").posted, 0);
}

// Whatever comes, in batches of whatever size: the books balance, and the same commands one by one
// end the same way.
TEST(LedgerRules, KeepTheBooksWhateverComes) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
  const auto any_command = [&]() -> LedgerCommand {
    const std::string key = "k" + std::to_string(below(200));
    const std::string account = "a" + std::to_string(below(6));
    const std::string other = below(4) == 0 ? "world" : "a" + std::to_string(below(6));
    const NanoUsd amount = below(100);
    switch (below(8)) {
      case 0:
        return OpenAccount{account};
      case 1:
        return Transfer{"t" + key, "world", account, amount + 1, "deposit", ""};
      case 2:
        return Transfer{"t" + key, account, "world", amount + 1, "withdrawal", ""};
      case 3:
        return Void{key};
      case 4:
        return Capture{key, other, amount, "call", ""};
      case 5:
        return Capture{key, "world", amount / 4, "call", ""};
      default:
        return Hold{key, account, amount, 1000 + below(2000)};
    }
  };
  for (int round = 0; round < 200; ++round) {
    Books together;
    Books apart;
    for (Books* books : {&together, &apart}) {
      ASSERT_TRUE(books->run(LedgerCommand(OpenAccount{"world", true})));
    }
    for (int step = 0; step < 20; ++step) {
      std::vector<LedgerCommand> commands;
      for (int i = below(20); i >= 0; --i) commands.push_back(any_command());
      together.run(commands);
      for (const LedgerCommand& command : commands) apart.run(std::vector{command});
      together.unix_ms = apart.unix_ms += below(200);
      const auto report = together.audit();
      ASSERT_TRUE(report.is_clean()) << report.faults.front();
    }
    ASSERT_EQ(together.journal.size(), apart.journal.size());
    for (const auto& [name, account] : together.accounts) {
      ASSERT_EQ(account.balance.posted, apart.balance(name).posted) << name;
    }
  }
}

}  // namespace
}  // namespace backplane::test

// SPDX-License-Identifier: Apache-2.0
#include "runtime/ledger/audit.hpp"

#include "tests/runtime/ledger/books.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace backplane::test {
namespace {

Books good_books() {
  Books books;
  books.run({OpenAccount{"world", true}, OpenAccount{"user"}, OpenAccount{"revenue"},
             Transfer{"d", "world", "user", 1000, "deposit", ""}, Hold{"c1", "user", 300, 5000},
             Hold{"c2", "user", 200, 5000}, Hold{"c3", "user", 100, 5000},
             Capture{"c1", "revenue", 250, "call", ""}, Void{"c2"}});
  return books;
}

TEST(Audit, CountsWhatThereIs) {
  const auto report = good_books().audit();
  EXPECT_TRUE(report.is_clean()) << report.faults.front();
  EXPECT_EQ(report.accounts, 3u);
  EXPECT_EQ(report.holds, 3u);
  EXPECT_EQ(report.live_holds, 1u);
  EXPECT_EQ(report.entries, 2u);
}

struct Damage {
  const char* name;
  std::function<void(Books&)> damage;
  const char* expected;
};

TEST(Audit, FindsEveryFault) {
  const Damage damages[] = {
      {"balance", [](Books& b) { b.accounts.at("user").balance.posted += 1; },
       "account \"user\" has 751 nano-USD, by the journal 750 nano-USD"},
      {"sum", [](Books& b) { b.accounts.at("user").balance.posted += 1; },
       "the books sum to 1 nano-USD"},
      {"held", [](Books& b) { b.accounts.at("user").balance.held = 0; },
       "account \"user\" holds 0 nano-USD, by its holds 100 nano-USD"},
      {"debt",
       [](Books& b) {
         b.journal.push_back({3, "x", "user", "revenue", 2000, "fee", "", false, 0});
         b.accounts.at("user").balance.posted -= 2000;
         b.accounts.at("revenue").balance.posted += 2000;
       },
       "account \"user\" owes and may not"},
      {"lost entry", [](Books& b) { b.journal.pop_back(); }, "hold \"c1\" was captured 0 times"},
      {"entry twice", [](Books& b) { b.journal.push_back(b.journal.back()); },
       "hold \"c1\" was captured 2 times"},
      {"order", [](Books& b) { b.journal.back().sequence = 1; }, "entry 1 is out of its order"},
      {"captured otherwise", [](Books& b) { b.holds.at("c1").captured = 249; },
       "hold \"c1\" says 249 nano-USD, the journal 250 nano-USD"},
      {"beyond", [](Books& b) { b.holds.at("c1").amount = 249; }, "captured beyond its amount"},
      {"voided", [](Books& b) { b.holds.at("c1").state = HoldState::kVoided; },
       "hold \"c1\" is in the journal and was not captured"},
      {"no hold", [](Books& b) { b.holds.erase("c1"); },
       "entry 2 captures the hold \"c1\", which there is not"},
      {"other account", [](Books& b) { b.holds.at("c1").account = "revenue"; },
       "takes from \"user\" what was held of \"revenue\""},
      {"no account", [](Books& b) { b.accounts.erase("revenue"); },
       "names the account \"revenue\", which there is not"},
      {"below zero", [](Books& b) { b.journal.front().amount = -1; }, "entry 1 moves -1"},
  };
  for (const Damage& test : damages) {
    Books books = good_books();
    test.damage(books);
    const auto report = books.audit();
    std::string all;
    for (const std::string& fault : report.faults) all += fault + "\n";
    EXPECT_NE(all.find(test.expected), std::string::npos) << test.name << ":\n" << all;
    EXPECT_EQ(report.faults_count, report.faults.size());
  }
}

TEST(Audit, TellsSomeFaultsAndCountsAll) {
  Books books = good_books();
  for (int i = 0; i < 500; ++i) {
    books.accounts["a" + std::to_string(i)] = {"a" + std::to_string(i), false, {1, 0}};
  }
  const auto report = books.audit();
  EXPECT_EQ(report.faults.size(), Audit::kFaultsMax);
  EXPECT_EQ(report.faults_count, 501u);
}

}  // namespace
}  // namespace backplane::test

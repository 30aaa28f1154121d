// SPDX-License-Identifier: Apache-2.0
// What every engine has to do.
#include "runtime/store/ledger_store.hpp"

#include "tests/runtime/services/manual_clock.hpp"
#include "tests/runtime/store/engines.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <random>
#include <thread>

namespace backplane::test {
namespace {

class LedgerStoreTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    if (place_ == nullptr) GTEST_SKIP() << GetParam().name << " is not installed";
    store_ = place_->open(clock_.table());
    done(OpenAccount{"world", true});
    done(OpenAccount{"user"});
    done(OpenAccount{"revenue"});
    done(Transfer{"d", "world", "user", 1000, "deposit", "{\"by\": \"card\"}"});
  }

  void done(LedgerCommand command) {
    const LedgerResult result = store_->execute(std::move(command));
    EXPECT_TRUE(result) << result.error().message;
  }
  std::string failure(LedgerCommand command) {
    const LedgerResult result = store_->execute(std::move(command));
    if (result) return "";
    return result.error().type.empty() ? std::to_string(static_cast<int>(result.error().code))
                                       : result.error().type;
  }
  std::string balance(const char* account) {
    const auto balance = store_->balance(account);
    if (!balance) return "none";
    return std::to_string(balance->posted) + "/" + std::to_string(balance->held);
  }
  Audit::Report audit() {
    Audit audit;
    const Status status = store_->read_books(audit);
    EXPECT_TRUE(status) << status.error().message;
    return audit.finish();
  }
  void reopen() {
    store_.reset();
    store_ = place_->open(clock_.table());
  }

  ManualClock clock_;
  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<LedgerStore> store_;
};

TEST_P(LedgerStoreTest, KeepsWhatWasDone) {
  done(Hold{"c1", "user", 300, 100'000});
  done(Hold{"c2", "user", 200, 100'000});
  done(Capture{"c1", "revenue", 120, "call", ""});
  reopen();
  EXPECT_EQ(balance("user"), "880/200");
  EXPECT_EQ(balance("revenue"), "120/0");
  EXPECT_EQ(balance("nobody"), "none");
  done(Void{"c2"});
  EXPECT_EQ(balance("user"), "880/0");
  const auto again = store_->execute(Capture{"c1", "revenue", 120, "call", ""});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  const auto report = audit();
  EXPECT_TRUE(report.is_clean()) << report.faults.front();
  EXPECT_EQ(report.entries, 2u);
}

TEST_P(LedgerStoreTest, RefusesAsTheRulesSay) {
  done(Hold{"c1", "user", 700, 100'000});
  EXPECT_EQ(failure(Hold{"c2", "user", 301, 100'000}), "INSUFFICIENT_BALANCE");
  EXPECT_EQ(failure(Capture{"c1", "revenue", 701, "call", ""}), "HOLD_TOO_SMALL");
  EXPECT_EQ(failure(Transfer{"d", "world", "user", 1, "deposit", ""}), "6");
  EXPECT_EQ(failure(Hold{"c2", "nobody", 1, 100'000}), "5");
  EXPECT_EQ(failure(Hold{"", "user", 1, 100'000}), "3") << "never reaches the disk";
  reopen();
  EXPECT_EQ(balance("user"), "1000/700");
}

TEST_P(LedgerStoreTest, HoldsExpireByThemselves) {
  done(Hold{"c1", "user", 700, 100'000});
  clock_.advance_ms(98'999);
  EXPECT_EQ(failure(Hold{"c2", "user", 301, 300'000}), "INSUFFICIENT_BALANCE");
  clock_.advance_ms(1);
  done(Hold{"c2", "user", 301, 300'000});
  EXPECT_EQ(failure(Capture{"c1", "revenue", 1, "call", ""}), "HOLD_ENDED");
  EXPECT_EQ(balance("user"), "1000/301");
}

TEST_P(LedgerStoreTest, TellsTheJournalPageByPage) {
  for (int i = 1; i <= 5; ++i) {
    done(Transfer{"t" + std::to_string(i), "user", "revenue", i, "fee", std::to_string(i)});
  }
  std::string keys;
  std::int64_t before = 0;
  for (int page = 0; page < 4; ++page) {
    const auto entries = store_->journal("user", before, 2);
    ASSERT_TRUE(entries);
    for (const EntryRow& entry : *entries) keys += entry.key + " ";
    keys += "| ";
    if (!entries->empty()) before = entries->back().sequence;
  }
  EXPECT_EQ(keys, "t5 t4 | t3 t2 | t1 d | | ");
  const auto deposit = store_->journal("world", 0, 10);
  ASSERT_TRUE(deposit);
  ASSERT_EQ(deposit->size(), 1u);
  EXPECT_EQ(deposit->front().from, "world");
  EXPECT_EQ(deposit->front().to, "user");
  EXPECT_EQ(deposit->front().details, "{\"by\": \"card\"}");
  EXPECT_EQ(deposit->front().unix_ms, 1000);
}

TEST_P(LedgerStoreTest, ManyThreadsSpendNoMoreThanThereIs) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 400;  // of one unit each, and of a thousand
  std::atomic<int> held{0};
  std::latch answered(kThreads * kCalls);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kCalls; ++i) {
        const std::string key = std::to_string(thread) + "." + std::to_string(i);
        const Status status =
            store_->submit(Hold{key, "user", 1, 100'000}, [&](const LedgerResult& result) {
              if (result) ++held;
              answered.count_down();
            });
        ASSERT_TRUE(status);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  answered.wait();
  EXPECT_EQ(held, 1000);
  EXPECT_EQ(balance("user"), "1000/1000");
  EXPECT_TRUE(audit().is_clean());
}

TEST_P(LedgerStoreTest, TwoThatHaveItOpenTakeTurns) {
  const auto other = place_->open(clock_.table());
  std::thread beside([&] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(
          other->execute(Transfer{"b" + std::to_string(i), "user", "revenue", 1, "fee", ""}));
    }
  });
  for (int i = 0; i < 50; ++i) {
    done(Transfer{"a" + std::to_string(i), "user", "revenue", 1, "fee", ""});
  }
  beside.join();
  EXPECT_EQ(balance("user"), "900/0");
  EXPECT_TRUE(audit().is_clean());
}

TEST_P(LedgerStoreTest, IsWhole) {
  const Status status = store_->check();
  EXPECT_TRUE(status) << status.error().message;
}

INSTANTIATE_TEST_SUITE_P(Engines, LedgerStoreTest,
                         testing::ValuesIn(engines_begin(), engines_end()),
                         [](const auto& engine) { return std::string(engine.param.name); });

}  // namespace
}  // namespace backplane::test

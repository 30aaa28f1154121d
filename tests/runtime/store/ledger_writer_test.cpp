// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/ledger_writer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace backplane::test {
namespace {

LedgerCommand any_command() {
  return OpenAccount{"a"};
}

std::vector<LedgerResult> yes(std::span<const LedgerCommand> commands) {
  return {commands.size(), LedgerOutcome()};
}

TEST(LedgerWriter, WhatWaitsWhileTheDiskIsBusyGoesTogether) {
  std::latch first_is_running(1);
  std::latch go_on(1);
  std::vector<std::size_t> sizes;
  std::atomic<int> answers{0};
  {
    LedgerWriter writer([&](std::span<const LedgerCommand> commands) {
      sizes.push_back(commands.size());
      if (sizes.size() == 1) {
        first_is_running.count_down();
        go_on.wait();
      }
      return yes(commands);
    });
    ASSERT_TRUE(writer.submit(any_command(), [&](const LedgerResult&) { ++answers; }));
    first_is_running.wait();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(writer.submit(any_command(), [&](const LedgerResult&) { ++answers; }));
    }
    go_on.count_down();
  }
  EXPECT_EQ(answers, 101) << "what waits is done before the end";
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(sizes[1], 100u);
}

TEST(LedgerWriter, RefusesMoreThanItsBound) {
  std::latch first_is_running(1);
  std::latch go_on(1);
  std::size_t largest = 0;
  bool is_first = true;
  LedgerWriter writer([&](std::span<const LedgerCommand> commands) {
    if (std::exchange(is_first, false)) {
      first_is_running.count_down();
      go_on.wait();
    }
    largest = std::max(largest, commands.size());
    return yes(commands);
  });
  std::latch last(1);
  ASSERT_TRUE(writer.submit(any_command(), [](const LedgerResult&) {}));
  first_is_running.wait();
  for (std::size_t i = 1; i < LedgerWriter::kWaitingMax; ++i) {
    ASSERT_TRUE(writer.submit(any_command(), [](const LedgerResult&) {}));
  }
  ASSERT_TRUE(writer.submit(any_command(), [&](const LedgerResult&) { last.count_down(); }));
  const Status status = writer.submit(any_command(), [](const LedgerResult&) { FAIL(); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kResourceExhausted);
  go_on.count_down();
  last.wait();
  EXPECT_EQ(largest, LedgerWriter::kBatchMax);
}

}  // namespace
}  // namespace backplane::test

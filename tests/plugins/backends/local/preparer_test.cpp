// SPDX-License-Identifier: Apache-2.0
// The threads that make requests ready: who waits for whom, and what a stop leaves undone.
#include "plugins/backends/local/preparer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <vector>

namespace backplane::local {
namespace {

constexpr auto kWaitMax = std::chrono::seconds(20);
const auto kIsLong = [] { return true; };

TEST(Preparer, ShortTasksDoNotWaitForLongOnes) {
  std::promise<void> gate, reached;
  Preparer preparer(8);
  ASSERT_TRUE(preparer.post([&] { gate.get_future().wait(); }, kIsLong));
  ASSERT_TRUE(preparer.post([&] { reached.set_value(); }));
  EXPECT_EQ(reached.get_future().wait_for(kWaitMax), std::future_status::ready);
  gate.set_value();
}

TEST(Preparer, EachLaneKeepsItsOrderAndAStopLeavesNothing) {
  std::vector<int> shorts, longs;
  Preparer preparer(100);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(preparer.post([&, i] { shorts.push_back(i); }));
    ASSERT_TRUE(preparer.post([&, i] { longs.push_back(i); }, kIsLong));
  }
  preparer.stop();
  ASSERT_EQ(shorts.size(), 50U);
  ASSERT_EQ(longs.size(), 50U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(shorts[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(longs[static_cast<std::size_t>(i)], i);
  }
  EXPECT_FALSE(preparer.post([] {}));
}

TEST(Preparer, TooManyLongTasksAreRefused) {
  std::promise<void> gate;
  const std::shared_future<void> opened(gate.get_future());
  Preparer preparer(4);
  int taken = 0;
  while (taken < 100 && preparer.post([opened] { opened.wait(); }, kIsLong)) ++taken;
  EXPECT_GE(taken, 4);
  EXPECT_LE(taken, 10);
  gate.set_value();
}

}  // namespace
}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/timer_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace backplane {
namespace {

void nothing(void*) {}

TEST(TimerQueue, GivesBackInOrderOfTimeThenOfAdding) {
  TimerQueue queue;
  int first = 0, second = 0, early = 0;
  queue.add(20, {nothing, &first});
  queue.add(20, {nothing, &second});
  queue.add(10, {nothing, &early});
  EXPECT_EQ(*queue.next_due_ns(), 10);
  EXPECT_FALSE(queue.take_due(9));
  EXPECT_EQ(queue.take_due(30)->argument, &early);
  EXPECT_EQ(queue.take_due(30)->argument, &first);
  EXPECT_EQ(queue.take_due(30)->argument, &second);
  EXPECT_FALSE(queue.next_due_ns());
}

TEST(TimerQueue, CancelWorksOnceAndOnlyBeforeItRan) {
  TimerQueue queue;
  const auto name = queue.add(1, {nothing, nullptr});
  EXPECT_NE(name, 0u);
  EXPECT_TRUE(queue.cancel(name));
  EXPECT_FALSE(queue.cancel(name));
  const auto reused = queue.add(1, {nothing, nullptr});
  EXPECT_NE(reused, name);
  EXPECT_FALSE(queue.cancel(name));
  EXPECT_TRUE(queue.take_due(1));
  EXPECT_FALSE(queue.cancel(reused));
  EXPECT_FALSE(queue.cancel(12345));
}

TEST(TimerQueue, AgreesWithASortedMapUnderRandomUse) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  TimerQueue queue;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::uint64_t> expected;  // (due, order): name
  std::int64_t now_ns = 0;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const auto choice = random() % 4;
    if (choice < 2) {
      const std::int64_t due_ns = now_ns + static_cast<std::int64_t>(random() % 100);
      const auto name = queue.add(due_ns, {nothing, reinterpret_cast<void*>(step)});
      expected[{due_ns, step}] = name;
    } else if (choice == 2 && !expected.empty()) {
      auto victim = expected.begin();
      std::advance(victim,
                   static_cast<long>(random() % std::min<std::size_t>(expected.size(), 50)));
      ASSERT_TRUE(queue.cancel(victim->second));
      expected.erase(victim);
    } else {
      now_ns += static_cast<std::int64_t>(random() % 20);
      while (const auto task = queue.take_due(now_ns)) {
        ASSERT_FALSE(expected.empty());
        ASSERT_LE(expected.begin()->first.first, now_ns);
        ASSERT_EQ(expected.begin()->first.second, reinterpret_cast<std::uint64_t>(task->argument));
        expected.erase(expected.begin());
      }
      ASSERT_TRUE(expected.empty() || expected.begin()->first.first > now_ns);
    }
  }
}

}  // namespace
}  // namespace backplane

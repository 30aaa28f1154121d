// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/loop.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/runtime/net/waiting.hpp"

namespace backplane {
namespace {

using testing::run_on;
using testing::Watched;

std::unique_ptr<Loops> start(std::uint32_t count) {
  auto loops = Loops::start(count);
  EXPECT_TRUE(loops);
  return std::move(*loops);
}

TEST(Loops, HasTheCountAskedForAndOnePerCoreByDefault) {
  EXPECT_EQ(start(3)->table()->count, 3u);
  EXPECT_GE(start(0)->table()->count, 1u);
  EXPECT_EQ(Loops::start(kLoopsMax + 1).error().code, Code::kInvalidArgument);
}

TEST(Loops, KnowsItsOwnThread) {
  const auto loops = start(2);
  const bp_loop_service& table = *loops->table();
  bp_loop* first = table.at(table.context, 0);
  bp_loop* second = table.at(table.context, 1);
  EXPECT_EQ(table.is_current(first), 0u);
  run_on(table, first, [&] {
    EXPECT_EQ(table.is_current(first), 1u);
    EXPECT_EQ(table.is_current(second), 0u);
  });
}

TEST(Loops, TwoSetsLiveInOneProcess) {
  const auto one = start(1);
  const auto other = start(1);
  bp_loop* of_other = other->table()->at(other->table()->context, 0);
  run_on(*one->table(), one->table()->at(one->table()->context, 0),
         [&] { EXPECT_EQ(other->table()->is_current(of_other), 0u); });
}

struct Numbered {
  Watched<std::vector<int>>* log;
  int number;
};

void note(void* argument) {
  const auto* self = static_cast<Numbered*>(argument);
  self->log->update([&](auto& log) { log.push_back(self->number); });
}

TEST(Loops, KeepsTheOrderOfEveryThread) {
  constexpr int kThreads = 4, kTasks = 5'000;
  const auto loops = start(1);
  bp_loop* loop = loops->table()->at(loops->table()->context, 0);
  Watched<std::vector<int>> log;
  std::vector<Numbered> tasks;
  for (int number = 0; number < kThreads * kTasks; ++number) tasks.push_back({&log, number});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int task = 0; task < kTasks; ++task) {
        loops->table()->post(loop, note, &tasks[static_cast<std::size_t>(thread * kTasks + task)]);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(log.wait([](const auto& all) { return all.size() == kThreads * kTasks; }));
  std::vector<int> last(kThreads, -1);
  for (const int number : log.get()) {
    int& before = last[static_cast<std::size_t>(number / kTasks)];
    ASSERT_LT(before, number % kTasks);
    before = number % kTasks;
  }
}

TEST(Loops, APostNeverRunsInsideTheCall) {
  const auto loops = start(1);
  const bp_loop_service& table = *loops->table();
  bp_loop* loop = table.at(table.context, 0);
  Watched<std::vector<int>> log;
  Numbered inner{&log, 2}, outer{&log, 1};
  run_on(table, loop, [&] {
    table.post(loop, note, &inner);
    note(&outer);
  });
  ASSERT_TRUE(log.wait([](const auto& all) { return all.size() == 2; }));
  EXPECT_EQ(log.get(), (std::vector<int>{1, 2}));
}

TEST(Loops, TimersRunInOrderAndNotEarly) {
  const auto loops = start(1);
  const bp_loop_service& table = *loops->table();
  bp_loop* loop = table.at(table.context, 0);
  Watched<std::vector<int>> log;
  Numbered late{&log, 2}, early{&log, 1};
  const auto begin = std::chrono::steady_clock::now();
  run_on(table, loop, [&] {
    EXPECT_NE(table.post_after(loop, 40, note, &late), 0u);
    table.post_after(loop, 10, note, &early);
  });
  ASSERT_TRUE(log.wait([](const auto& all) { return all.size() == 2; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(40));
  EXPECT_EQ(log.get(), (std::vector<int>{1, 2}));
}

TEST(Loops, ACancelledTimerDoesNotRun) {
  const auto loops = start(1);
  const bp_loop_service& table = *loops->table();
  bp_loop* loop = table.at(table.context, 0);
  Watched<std::vector<int>> log;
  Numbered dropped{&log, 1}, kept{&log, 2};
  run_on(table, loop, [&] {
    const auto name = table.post_after(loop, 5, note, &dropped);
    table.post_after(loop, 20, note, &kept);
    EXPECT_EQ(table.cancel(loop, name), 1u);
    EXPECT_EQ(table.cancel(loop, name), 0u);
  });
  ASSERT_TRUE(log.wait([](const auto& all) { return !all.empty(); }));
  EXPECT_EQ(log.get(), std::vector<int>{2});
}

TEST(Loops, StopRunsWhatWasPostedAndNothingAfter) {
  auto loops = start(1);
  bp_loop* loop = loops->table()->at(loops->table()->context, 0);
  Watched<std::vector<int>> log;
  Numbered before{&log, 1}, after{&log, 2};
  loops->table()->post(loop, note, &before);
  loops->stop();
  loops->table()->post(loop, note, &after);
  loops->stop();
  EXPECT_EQ(log.get(), std::vector<int>{1});
}

}  // namespace
}  // namespace backplane

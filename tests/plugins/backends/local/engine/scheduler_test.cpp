// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/scheduler.hpp"

#include <gtest/gtest.h>

#include "plugins/backends/local/engine/step_pace.hpp"

namespace backplane::local {
namespace {

TEST(PlanStep, StreamsGoFirstThenTheFirstPromptThenTheShortest) {
  struct Case {
    std::vector<Runnable> runnables;
    std::size_t budget;
    std::vector<std::size_t> expected;
  };
  const Case cases[] = {
      {{}, 8, {}},
      {{{0}, {0}}, 8, {1, 1}},
      {{{0}, {0}, {0}}, 2, {1, 1, 1}},
      {{{100}}, 8, {8}},
      {{{3}}, 8, {3}},
      {{{0}, {100}, {0}}, 8, {1, 6, 1}},
      {{{100}, {100}}, 8, {8, 0}},
      {{{100}, {100}, {2}}, 9, {7, 0, 2}},
      {{{100}, {5}, {2}}, 9, {5, 2, 2}},
      {{{100}, {5, 7}, {9}}, 10, {5, 0, 5}},
      {{{100}, {5, -1}}, 10, {5, 5}},
      {{{1}, {100}}, 10, {1, 9}},
      {{{0}, {0}, {50}}, 2, {1, 1, 1}},
  };
  for (const Case& c : cases) {
    std::vector<std::size_t> prompts;
    for (const Runnable& each : c.runnables) prompts.push_back(each.prompt_left);
    EXPECT_EQ(plan_step(c.runnables, c.budget), c.expected)
        << testing::PrintToString(prompts) << " within " << c.budget;
  }
}

TEST(StepPace, FindsWhatAStepAndATokenCost) {
  StepPace pace;
  EXPECT_GE(pace.tokens_within(1), 1U);
  for (std::size_t i = 0; i < 40; ++i) {
    const std::size_t tokens = 1 + i % 5 * 20;
    pace.note(tokens, 10 + 0.5 * static_cast<double>(tokens));
  }
  EXPECT_NEAR(static_cast<double>(pace.tokens_within(60)), 100, 1);
  EXPECT_EQ(pace.tokens_within(5), 1U);
  EXPECT_NEAR(pace.milliseconds_for(20), 20, 0.5);
}

TEST(StepPace, StepsOfOneSizeTellTheirShare) {
  StepPace pace;
  for (int i = 0; i < 10; ++i) pace.note(8, 16);
  EXPECT_NEAR(static_cast<double>(pace.tokens_within(100)), 50, 1);
}

TEST(StepPace, FollowsAMachineThatSlowsDown) {
  StepPace pace;
  for (std::size_t i = 0; i < 100; ++i) pace.note(1 + i % 10, static_cast<double>(1 + i % 10));
  for (std::size_t i = 0; i < 100; ++i) pace.note(1 + i % 10, 4 * static_cast<double>(1 + i % 10));
  EXPECT_NEAR(static_cast<double>(pace.tokens_within(40)), 10, 1);
}

}  // namespace
}  // namespace backplane::local

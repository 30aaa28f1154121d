// SPDX-License-Identifier: Apache-2.0
// Who is served when, and from what is computed already.
#include <gtest/gtest.h>

#include <future>

#include "tests/plugins/backends/local/engine/heard.hpp"

namespace backplane::local {
namespace {

TEST(EngineServing, AFullQueueIsSaidAndTheQueuedCanBeCancelled) {
  EngineOptions options = tiny_options();
  options.sequences_max = 1;
  options.queue_max = 1;
  const auto engine = load(options);
  Heard first, second, third;
  std::promise<void> go_on;
  first.on_first_text = [&](RequestId) { go_on.get_future().wait(); };
  first.submit(*engine, request_for(0, 50));
  first.wait_for_text();
  second.submit(*engine, request_for(1));
  const auto refused = engine->submit(request_for(2), third);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(refused.error().http_status, 429u);
  EXPECT_GE(refused.error().retry_after_ms, 1000u);
  EXPECT_LE(refused.error().retry_after_ms, 60000u);
  engine->cancel(second.id());
  go_on.set_value();
  second.wait();
  EXPECT_EQ(second.reason(), FinishReason::kCancelled);
  EXPECT_EQ(second.usage().completion_tokens, 0u);
  first.wait();
  EXPECT_FALSE(third.over());
}

// A client that does not read keeps nobody from the only place.
TEST(EngineServing, ThePausedGiveWay) {
  EngineOptions options = tiny_options();
  options.sequences_max = 1;
  const auto engine = load(options);
  const std::string whole = text_alone(*engine, request_for(0, 60));
  Heard paused;
  paused.on_first_text = [&](RequestId id) { engine->pause(id); };
  paused.submit(*engine, request_for(0, 60));
  paused.wait_for_text();
  text_alone(*engine, request_for(1, 50));
  EXPECT_FALSE(paused.over());
  engine->resume(paused.id());
  paused.wait();
  EXPECT_EQ(paused.text(), whole);
}

TEST(EngineServing, TheMoreUrgentGoFirst) {
  EngineOptions options = tiny_options();
  options.sequences_max = 1;
  const auto engine = load(options);
  std::vector<int> order;
  std::promise<void> go_on;
  Heard first;
  std::vector<Heard> others(3);
  first.on_first_text = [&](RequestId) { go_on.get_future().wait(); };
  first.submit(*engine, request_for(0, 60));
  first.wait_for_text();
  const std::int32_t priorities[] = {1, 0, -1};
  for (std::size_t i = 0; i < others.size(); ++i) {
    GenerateRequest request = request_for(static_cast<int>(i) + 1, 5);
    request.priority = priorities[i];
    others[i].on_first_text = [&, i](RequestId) { order.push_back(priorities[i]); };
    others[i].submit(*engine, std::move(request));
  }
  go_on.set_value();
  first.wait();
  for (Heard& each : others) each.wait();
  EXPECT_EQ(order, (std::vector<int>{-1, 0, 1}));
  // The urgent one took the place of the first, which went on before the one that is not.
  EXPECT_FALSE(first.error());
}

TEST(EngineServing, APrefixThatAnotherComputedIsNotComputedAgain) {
  EngineOptions options = tiny_options();
  options.reuse_prefixes = false;
  const auto without = load(options);
  options.reuse_prefixes = true;
  const auto engine = load(options);
  for (const int number : {20, 21}) {  // 104 and 109 tokens; greedy and sampled
    const GenerateRequest request = request_for(number);
    const std::string expected = text_alone(*without, request);
    for (int round = 0; round < 3; ++round) {
      Heard heard;
      heard.submit(*engine, request);
      heard.wait();
      EXPECT_EQ(heard.text(), expected);
      EXPECT_EQ(heard.usage().cached_prompt_tokens, round == 0 ? 0u : 96u);
    }
  }
  // What was said before is found as the next turn's prompt, as far as whole pages go.
  GenerateRequest longer = request_for(20);
  for (const Token token : engine->tokenize_text(text_alone(*without, longer))) {
    if (token != kTinyBos) longer.prompt_tokens.push_back(token);
  }
  Heard next;
  next.submit(*engine, longer);
  next.wait();
  EXPECT_GE(next.usage().cached_prompt_tokens, 96u);
  EXPECT_EQ(next.text(), text_alone(*without, longer));
}

TEST(EngineServing, RunningRequestsShareAPrefixThatOneOfThemComputes) {
  const auto engine = load(tiny_options());
  const GenerateRequest request = request_for(20);
  const std::string expected = text_alone(*load(tiny_options()), request);
  std::promise<void> go_on;
  Heard first;
  first.on_first_text = [&](RequestId) { go_on.get_future().wait(); };
  first.submit(*engine, request_for(0, 20));
  first.wait_for_text();
  std::vector<Heard> together(5);
  for (Heard& each : together) each.submit(*engine, request);
  go_on.set_value();
  std::size_t cached = 0;
  for (Heard& each : together) {
    each.wait();
    EXPECT_EQ(each.text(), expected);
    cached += each.usage().cached_prompt_tokens;
  }
  EXPECT_EQ(cached, 4 * 96u) << "one computes, four wait for it";
}

}  // namespace
}  // namespace backplane::local

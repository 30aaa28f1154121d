// SPDX-License-Identifier: Apache-2.0
// What a stream passes through: sampler, detokenizer, stop strings, and the plan of a step.
#include <gtest/gtest.h>

#include <cmath>

#include "plugins/backends/local/engine/scheduler.hpp"
#include "plugins/backends/local/sampling/sampler.hpp"
#include "plugins/backends/local/sampling/stop_matcher.hpp"
#include "plugins/backends/local/tokenizer/detokenizer.hpp"

namespace backplane::local {
namespace {

TEST(Sampler, TemperatureZeroTakesTheLikeliestAndTheLowestOfEquals) {
  Sampler sampler({0, 0, 1, 0});
  EXPECT_EQ(sampler.pick(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{NAN, -5, NAN, -4}), 3);
  EXPECT_EQ(sampler.pick(std::vector<float>{-INFINITY, -INFINITY}), 0);
}

TEST(Sampler, BrokenLogitsStillGiveAToken) {
  Sampler sampler({1, 3, 0.5f, 9});
  EXPECT_EQ(sampler.pick(std::vector<float>(5, NAN)), 4);
  EXPECT_EQ(sampler.pick(std::vector<float>{0, INFINITY, 1}), 1);
}

std::vector<int> histogram(const SamplingOptions& options, const std::vector<float>& logits) {
  Sampler sampler(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < 20000; ++i) ++counts[static_cast<std::size_t>(sampler.pick(logits))];
  return counts;
}

TEST(Sampler, FollowsTheDistribution) {
  const std::vector<float> logits = {std::log(0.1f), std::log(0.6f), std::log(0.3f)};
  const auto plain = histogram({1, 0, 1, 42}, logits);
  EXPECT_NEAR(plain[0], 2000, 200);
  EXPECT_NEAR(plain[1], 12000, 300);
  const auto top_two = histogram({1, 2, 1, 42}, logits);
  EXPECT_EQ(top_two[0], 0);
  EXPECT_NEAR(top_two[2], 20000 / 3, 300);
  const auto nucleus = histogram({1, 0, 0.85f, 42}, logits);
  EXPECT_EQ(nucleus[0], 0);
  EXPECT_GT(nucleus[2], 0);
  const auto both = histogram({1, 2, 0.6f, 42}, logits);
  EXPECT_EQ(both[1], 20000);
  const auto hot = histogram({2, 0, 1, 42}, logits);
  EXPECT_GT(hot[0], plain[0]);
}

TEST(Sampler, TheSeedAloneDecides) {
  const std::vector<float> logits(50, 0.0f);
  const auto run = [&](std::uint64_t seed) {
    Sampler sampler({1, 0, 1, seed});
    std::vector<Token> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sampler.pick(logits));
    return tokens;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(Sampler, OptionsOutOfRangeAreNamed) {
  EXPECT_TRUE(check(SamplingOptions()));
  EXPECT_NE(check({-1, 0, 1, 0}).error().message.find("temperature"), std::string::npos);
  EXPECT_NE(check({NAN, 0, 1, 0}).error().message.find("temperature"), std::string::npos);
  EXPECT_NE(check({1, 0, 0, 0}).error().message.find("top_p"), std::string::npos);
}

TEST(Detokenizer, NeverSplitsACharacter) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x99z";
  Detokenizer detokenizer;
  std::string out;
  for (const char byte : text) {
    const std::string part = detokenizer.push(std::string(1, byte));
    if (!part.empty()) {
      EXPECT_NE(static_cast<unsigned char>(part[0]) & 0xc0, 0x80);
    }
    out += part;
  }
  EXPECT_EQ(out + detokenizer.flush(), text);
}

TEST(Detokenizer, ReplacesWhatIsNoCharacter) {
  Detokenizer detokenizer;
  EXPECT_EQ(detokenizer.push("\xe2\x82"), "");
  EXPECT_EQ(detokenizer.push("x"), "\xef\xbf\xbd\xef\xbf\xbdx");
  EXPECT_EQ(detokenizer.push("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(detokenizer.push("\xf0\x9f"), "");
  EXPECT_EQ(detokenizer.flush(), "\xef\xbf\xbd\xef\xbf\xbd");
}

struct StopCase {
  std::vector<std::string> stops;
  std::string text;
  std::string expected;
  bool matched;
};

TEST(StopMatcher, CutsAtTheFirstStopHoweverTheTextIsSplit) {
  const StopCase cases[] = {
      {{"END"}, "abcENDdef", "abc", true},   {{"END"}, "abcEN", "abcEN", false},
      {{"END"}, "EEENDx", "EE", true},       {{"aab"}, "aaab", "a", true},
      {{"abcd", "bc"}, "xabcd", "xa", true}, {{"bc", "abc"}, "xabc", "x", true},
      {{}, "plain", "plain", false},         {{"\n\n"}, "a\nb\n\nc", "a\nb", true},
  };
  for (const StopCase& c : cases) {
    for (std::size_t step = 1; step <= c.text.size(); ++step) {
      StopMatcher matcher(c.stops);
      std::string out;
      for (std::size_t at = 0; at < c.text.size(); at += step) {
        out += matcher.push(c.text.substr(at, step));
        EXPECT_TRUE(c.expected.starts_with(out)) << c.text << " in steps of " << step;
      }
      if (!matcher.matched()) out += matcher.flush();
      EXPECT_EQ(out, c.expected) << c.text << " in steps of " << step;
      EXPECT_EQ(matcher.matched(), c.matched);
    }
  }
}

TEST(PlanStep, StreamsGoFirstAndPromptsShareTheRest) {
  struct Case {
    std::vector<std::size_t> prompts;
    std::size_t budget;
    std::vector<std::size_t> expected;
  };
  const Case cases[] = {
      {{}, 8, {}},
      {{0, 0}, 8, {1, 1}},
      {{100}, 8, {8}},
      {{0, 100, 0}, 8, {1, 6, 1}},
      {{100, 100}, 8, {4, 4}},
      {{100, 2, 0}, 10, {7, 2, 1}},
      {{1, 100}, 10, {1, 9}},
      {{100, 100, 100}, 3, {1, 1, 1}},
      {{3, 3}, 100, {3, 3}},
  };
  for (const Case& c : cases) {
    std::vector<Runnable> runnables;
    for (const std::size_t prompt : c.prompts) runnables.push_back({prompt});
    const auto counts = plan_step(runnables, c.budget);
    EXPECT_EQ(counts, c.expected) << testing::PrintToString(c.prompts);
  }
}

}  // namespace
}  // namespace backplane::local

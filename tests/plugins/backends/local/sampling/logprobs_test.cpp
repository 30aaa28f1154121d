// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/logprobs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <random>

#include "plugins/backends/local/sampling/selection.hpp"

namespace backplane::local {
namespace {

TEST(Logprobs, AreThoseOfTheModel) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> logits(5003);
  for (float& logit : logits) logit = normal(random);
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  const LogprobEntry entry = logprobs_of(logits, 1234, 20);
  EXPECT_EQ(entry.picked.token, 1234);
  EXPECT_NEAR(entry.picked.logprob, logits[1234] - std::log(total), 1e-4);
  ASSERT_EQ(entry.top.size(), 20U);
  EXPECT_EQ(entry.top[0].token, likeliest(logits));
  for (std::size_t i = 1; i < entry.top.size(); ++i) {
    EXPECT_GE(entry.top[i - 1].logprob, entry.top[i].logprob);
  }
  EXPECT_TRUE(logprobs_of(logits, 0, 0).top.empty());
}

TEST(Logprobs, AreNumbersWhateverTheModelSays) {
  for (const std::vector<float>& logits :
       {std::vector<float>{NAN, NAN}, {-INFINITY, 1}, {INFINITY, 1}, {-INFINITY, -INFINITY}}) {
    const LogprobEntry entry = logprobs_of(logits, 0, 2);
    EXPECT_TRUE(std::isfinite(entry.picked.logprob));
    for (const TokenLogprob& one : entry.top) EXPECT_TRUE(std::isfinite(one.logprob));
  }
}

TEST(Selection, AgreesWithASort) {
  const std::uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> logits(1 + random() % 900);
    for (float& logit : logits) logit = static_cast<float>(random() % 50);  // with many equals
    if (random() % 4 == 0) logits[random() % logits.size()] = NAN;
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (!std::isnan(logits[i])) all.push_back({logits[i], static_cast<Token>(i)});
    }
    std::sort(all.begin(), all.end(), is_likelier);
    const std::size_t count = 1 + random() % (logits.size() + 3);
    std::vector<Candidate> largest;
    select_largest(logits, count, largest);
    ASSERT_EQ(largest.size(), std::min(count, all.size()));
    for (std::size_t i = 0; i < largest.size(); ++i) ASSERT_EQ(largest[i].token, all[i].token);
  }
}

TEST(Selection, WeighsAsTheExponentialDoes) {
  for (float x = 0; x > -86; x -= 0.37f) {
    const double expected = std::exp(static_cast<double>(x));
    EXPECT_NEAR(weight_of(x, 0, 1), expected, expected * 1e-6) << x;
  }
  EXPECT_EQ(weight_of(-90, 0, 1), 0);
  EXPECT_EQ(weight_of(NAN, 0, 1), 0);
  EXPECT_EQ(weight_of(-INFINITY, 0, 1), 0);
  EXPECT_FLOAT_EQ(weight_of(3, 5, 0.5f), std::exp(-1.0f));
}

}  // namespace
}  // namespace backplane::local

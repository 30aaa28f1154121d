// SPDX-License-Identifier: Apache-2.0
// What may be picked and how often, against the same rules written plainly over a sorted list.
#include "plugins/backends/local/sampling/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <random>

namespace backplane::local {
namespace {

struct Share {
  double share;
  Token token;
};

std::vector<Share> normalized(std::vector<Share> shares) {
  double total = 0;
  for (const Share& one : shares) total += one.share;
  for (Share& one : shares) one.share /= total;
  return shares;
}

// The first of them that make up `share`.
std::vector<Share> first_of(std::vector<Share> shares, double share) {
  if (share >= 1) return shares;
  double sum = 0;
  std::size_t size = 0;
  while (size < shares.size() && sum < share) sum += shares[size++].share;
  shares.resize(size);
  return normalized(shares);
}

bool is_likelier(const Share& a, const Share& b) {
  return a.share != b.share ? a.share > b.share : a.token < b.token;
}

std::vector<Share> typical_of(std::vector<Share> shares, double share) {
  if (share >= 1) return shares;
  double entropy = 0;
  for (const Share& one : shares) entropy -= one.share * std::log(one.share);
  const auto distance = [&](const Share& one) { return std::abs(-std::log(one.share) - entropy); };
  std::stable_sort(shares.begin(), shares.end(),
                   [&](const Share& a, const Share& b) { return distance(a) < distance(b); });
  shares = first_of(shares, share);
  std::stable_sort(shares.begin(), shares.end(), is_likelier);
  return shares;
}

// The shares of the tokens that may be picked, by the rules alone.
std::vector<double> expected_shares(const SamplingOptions& options, std::vector<float> logits) {
  std::vector<Share> shares;
  for (const LogitBias& bias : options.logit_bias) {
    logits[static_cast<std::size_t>(bias.token)] += bias.bias;
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    shares.push_back(
        {std::exp(static_cast<double>(logits[i]) / static_cast<double>(options.temperature)),
         static_cast<Token>(i)});
  }
  std::sort(shares.begin(), shares.end(), is_likelier);
  if (options.top_k > 0 && options.top_k < shares.size()) shares.resize(options.top_k);
  shares = typical_of(normalized(shares), static_cast<double>(options.typical_p));
  shares = first_of(shares, static_cast<double>(options.top_p));
  const double best = shares.front().share;
  std::erase_if(shares, [&](const Share& one) {
    return one.share < best * static_cast<double>(options.min_p);
  });
  std::vector<double> out(logits.size());
  for (const Share& one : normalized(shares)) out[static_cast<std::size_t>(one.token)] = one.share;
  return out;
}

std::vector<double> seen_shares(const SamplingOptions& options, const std::vector<float>& logits) {
  constexpr int kPicks = 6000;
  Sampler sampler(options);
  std::vector<double> shares(logits.size());
  for (int i = 0; i < kPicks; ++i) {
    shares[static_cast<std::size_t>(sampler.pick(logits))] += 1.0 / kPicks;
  }
  return shares;
}

TEST(Sampler, PicksByTheRulesWhateverTheyAre) {
  const std::uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const auto one_of = [&](std::vector<float> values) { return values[random() % values.size()]; };
  std::normal_distribution<float> normal(0, 2);
  for (int round = 0; round < 30; ++round) {
    SamplingOptions options;
    options.temperature = one_of({0.3f, 0.8f, 1, 1.7f});
    options.top_k = static_cast<std::uint32_t>(one_of({0, 0, 2, 5, 17, 300, 1000}));
    options.top_p = one_of({1, 1, 0.95f, 0.5f, 0.1f});
    options.min_p = one_of({0, 0, 0.05f, 0.5f});
    options.typical_p = one_of({1, 1, 1, 0.9f, 0.4f});
    options.seed = random();
    std::vector<float> logits(random() % 2 == 0 ? 40 : 700);
    for (float& logit : logits) logit = normal(random);
    if (random() % 2 == 0) options.logit_bias = {{3, 4.5f}, {7, -100}};
    const auto expected = expected_shares(options, logits);
    const auto seen = seen_shares(options, logits);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      // What stands at the edge of a share may fall on either side by rounding.
      ASSERT_NEAR(seen[i], expected[i], 0.04)
          << "round " << round << ", token " << i << ", top_k " << options.top_k << ", top_p "
          << options.top_p << ", min_p " << options.min_p << ", typical_p " << options.typical_p;
    }
  }
}

TEST(Sampler, TemperatureZeroTakesTheLikeliestAndTheLowestOfEquals) {
  Sampler sampler({0, 0, 1, 0});
  EXPECT_EQ(sampler.pick(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(sampler.pick(std::vector<float>{NAN, -5, NAN, -4}), 3);
  EXPECT_EQ(sampler.pick(std::vector<float>{-INFINITY, -INFINITY}), 0);
  std::vector<float> many(1000, -1);
  many[777] = many[778] = 2;
  EXPECT_EQ(sampler.pick(many), 777);
}

TEST(Sampler, BrokenLogitsStillGiveAToken) {
  for (const SamplingOptions& options : {SamplingOptions{1, 3, 0.5f, 9}, SamplingOptions{}}) {
    Sampler sampler(options);
    EXPECT_EQ(sampler.pick(std::vector<float>(5, NAN)), 0);
    EXPECT_EQ(sampler.pick(std::vector<float>{0, INFINITY, 1}), 1);
    EXPECT_EQ(sampler.pick(std::vector<float>{NAN, -INFINITY, 1, NAN}), 2);
  }
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
  EXPECT_EQ(seed_of_choice(7, 0), 7U);
  EXPECT_NE(run(seed_of_choice(7, 1)), run(7));
  EXPECT_NE(run(seed_of_choice(7, 1)), run(seed_of_choice(7, 2)));
  EXPECT_NE(run(seed_of_choice(0, 1)), run(seed_of_choice(0, 2)));
}

TEST(Sampler, OptionsOutOfRangeAreNamed) {
  const auto refused = [](auto change) {
    SamplingOptions options;
    change(options);
    const Status status = check(options, 100);
    return status ? std::string("served") : status.error().message;
  };
  EXPECT_EQ(refused([](SamplingOptions&) {}), "served");
  const std::pair<std::string, void (*)(SamplingOptions&)> cases[] = {
      {"temperature", [](SamplingOptions& options) { options.temperature = -1; }},
      {"temperature", [](SamplingOptions& options) { options.temperature = NAN; }},
      {"top_p", [](SamplingOptions& options) { options.top_p = 0; }},
      {"min_p", [](SamplingOptions& options) { options.min_p = 1.5f; }},
      {"typical_p", [](SamplingOptions& options) { options.typical_p = 0; }},
      {"presence_penalty", [](SamplingOptions& options) { options.penalties.presence = 3; }},
      {"frequency_penalty", [](SamplingOptions& options) { options.penalties.frequency = -3; }},
      {"repetition_penalty", [](SamplingOptions& options) { options.penalties.repetition = 0; }},
      {"logit_bias: token 100",
       [](SamplingOptions& options) {
         options.logit_bias = {{100, 1}};
       }},
      {"logit_bias: token -1",
       [](SamplingOptions& options) {
         options.logit_bias = {{-1, 1}};
       }},
      {"logit_bias: a bias",
       [](SamplingOptions& options) {
         options.logit_bias = {{1, 101}};
       }},
      {"at most", [](SamplingOptions& options) { options.logit_bias.resize(1025); }}};
  for (const auto& [name, change] : cases) {
    EXPECT_NE(refused(change).find(name), std::string::npos) << refused(change);
  }
}

// Greedy, so that a token tells what its logits became.
std::vector<Token> greedy(SamplingOptions options, const std::vector<float>& logits,
                          const std::vector<Token>& prompt, int count) {
  options.temperature = 0;
  Sampler sampler(options, prompt);
  std::vector<Token> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(sampler.pick(logits));
  return tokens;
}

TEST(Penalties, CountWhatHasComeBefore) {
  SamplingOptions options;
  const std::vector<float> logits = {3, 2.5f, 2, -1};
  options.penalties.presence = 0.75f;  // once, of the answer alone
  EXPECT_EQ(greedy(options, logits, {0}, 5), (std::vector<Token>{0, 1, 0, 0, 0}));
  options.penalties = {1, 0, 0.4f};  // each time
  EXPECT_EQ(greedy(options, logits, {0}, 5), (std::vector<Token>{0, 0, 1, 0, 1}));
  options.penalties = {2, 0, 0};  // of the prompt, too
  EXPECT_EQ(greedy(options, logits, {0, 0}, 4), (std::vector<Token>{1, 2, 0, 0}));
  options.penalties = {2, 0, 0};
  EXPECT_EQ(greedy(options, {-1, -1.5f}, {}, 3), (std::vector<Token>{0, 1, 0}));
}

TEST(Sampler, PicksOnlyWhatIsAllowed) {
  const std::vector<float> logits(130, 1.0f);
  const std::uint64_t allowed[] = {0, std::uint64_t{1} << 5U | std::uint64_t{1} << 63U, 2};
  std::vector<int> counts(logits.size());
  Sampler sampler({1, 0, 1, 4});
  for (int i = 0; i < 300; ++i) {
    ++counts[static_cast<std::size_t>(sampler.pick(logits, {allowed, {}}))];
  }
  EXPECT_EQ(counts[69] + counts[127] + counts[129], 300);
  EXPECT_GT(std::min({counts[69], counts[127], counts[129]}), 50);
  const Token banned[] = {69, 127};
  EXPECT_EQ(sampler.pick(logits, {allowed, banned}), 129);
  const Token all[] = {69, 127, 129};
  const Token picked = sampler.pick(logits, {allowed, all});
  EXPECT_TRUE(picked == 69 || picked == 127 || picked == 129) << "what must come is not banned";
}

}  // namespace
}  // namespace backplane::local

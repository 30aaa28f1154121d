// SPDX-License-Identifier: Apache-2.0
// Greedy runs of a small trained model, recorded with a float64 implementation. Runs may part
// where the recording's two likeliest tokens are closer than kMarginMin.
#include <gtest/gtest.h>

#include <numeric>

#include "plugins/backends/local/model/model.hpp"
#include "plugins/backends/local/sampling/sampler.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/plugins/backends/local/recorded.hpp"

namespace backplane::local {
namespace {

constexpr double kMarginMin = 0.02;

std::vector<Token> tokens_of(const boost::json::value& array) {
  std::vector<Token> tokens;
  for (const auto& token : array.as_array()) tokens.push_back(token.to_number<Token>());
  return tokens;
}

class GoldenStories : public testing::TestWithParam<const char*> {};

TEST_P(GoldenStories, GreedyTokensEqualTheRecording) {
  const std::string model_path = recorded_path(std::string("models/") + GetParam());
  const std::string golden_path = recorded_path("models/golden/stories260K.dev.jsonl");
  if (model_path.empty() || golden_path.empty()) GTEST_SKIP() << "no recorded model";
  const auto file = ModelFile::open(model_path);
  ASSERT_TRUE(file) << file.error().message;
  const auto device = kernels::make_cpu_device(1);
  const auto model = Model::load(*file, *device, 128, 1);
  ASSERT_TRUE(model) << model.error().message;
  const auto tokenizer = Tokenizer::load(*file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;

  std::size_t compared = 0;
  for (const auto& line : recorded_lines(golden_path)) {
    const std::string prompt(line.at("prompt").as_string());
    SCOPED_TRACE(prompt);
    const auto prompt_tokens = tokens_of(line.at("prompt_tokens"));
    EXPECT_EQ((*tokenizer)->encode(prompt, {true, false}), prompt_tokens);
    const auto expected = tokens_of(line.at("output_tokens"));
    const std::size_t tokens = prompt_tokens.size() + expected.size();
    const auto cache = (*model)->new_pages(tokens / kPagePositions + 1);
    ASSERT_TRUE(cache);
    std::vector<PageId> pages((*cache)->count());
    std::iota(pages.rbegin(), pages.rend(), 0);
    std::vector<BatchEntry> batch;
    for (const Token token : prompt_tokens) {
      const auto position = static_cast<std::uint32_t>(batch.size());
      batch.push_back({pages.data(), position, token, position + 1 == prompt_tokens.size()});
    }
    Sampler sampler({0, 0, 1, 0});
    std::uint32_t position = static_cast<std::uint32_t>(batch.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto logits = (*model)->forward(batch, **cache);
      const Token token = sampler.pick({logits.data, logits.columns});
      if (token != expected[i]) {
        EXPECT_LT(line.at("margins").at(i).to_number<double>(), kMarginMin) << "token " << i;
        break;
      }
      ++compared;
      batch = {{pages.data(), position++, token, true}};
    }
  }
  RecordProperty("tokens_compared", static_cast<int>(compared));
  std::cout << "tokens equal: " << compared << "\n";
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenStories,
                         testing::Values("stories260K.gguf", "stories260K-f16.gguf"));

}  // namespace
}  // namespace backplane::local

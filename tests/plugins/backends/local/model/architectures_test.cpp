// SPDX-License-Identifier: Apache-2.0
// Logits of tiny models of each architecture against those that llama.cpp (b10472, keys and values
// in F32) gives for the very same files and tokens.
#include <gtest/gtest.h>

#include <array>

#include "tests/kernels/random_tensors.hpp"
#include "tests/plugins/backends/local/model/sequence.hpp"
#include "tests/plugins/backends/local/tiny_architectures.hpp"

namespace backplane::local {
namespace {

constexpr std::array<std::size_t, 4> kTokens = {3, 100, 200, 288};

struct Expected {
  std::size_t position;
  int likeliest;
  std::array<float, kTokens.size()> logits;  // of kTokens
};

struct ExpectedModel {
  const char* name;
  std::array<Expected, 4> rows;
};

const ExpectedModel kExpected[] = {
    {"gemma2",
     {{
         {0, 259, {0.95930f, 0.08813f, 1.82519f, 1.04776f}},
         {7, 225, {-0.17657f, 0.59878f, -0.93849f, 1.64802f}},
         {40, 2, {0.65817f, 0.23593f, -0.99944f, 1.55520f}},
         {99, 219, {0.33746f, -0.58251f, 0.66974f, 1.69872f}},
     }}},
    {"gemma3",
     {{
         {0, 275, {1.97795f, 1.60985f, 1.29798f, 0.69337f}},
         {7, 225, {-0.49318f, 1.66589f, -1.00197f, 0.53373f}},
         {40, 184, {1.88646f, 1.79856f, -0.81977f, 1.04357f}},
         {99, 46, {0.28197f, 1.02267f, 0.00944f, 1.40907f}},
     }}},
    {"llama",
     {{
         {0, 136, {-1.45059f, 0.00496f, 0.06693f, -0.84644f}},
         {7, 228, {0.87987f, 0.33947f, 0.15696f, -0.52269f}},
         {40, 41, {1.35362f, 0.51504f, -0.93661f, -0.73906f}},
         {99, 9, {-0.79599f, 0.49738f, 0.10905f, 0.82696f}},
     }}},
    {"llama linear",
     {{
         {0, 58, {-1.80647f, 0.00467f, -1.18439f, -0.68253f}},
         {7, 283, {-2.23296f, -0.03252f, 1.38781f, -0.14164f}},
         {40, 200, {-1.85009f, 0.38756f, 2.34549f, 0.37430f}},
         {99, 48, {-1.09314f, -0.04139f, 2.77596f, 0.29145f}},
     }}},
    {"llama with divisors",
     {{
         {0, 157, {-1.26108f, 0.29479f, -1.58502f, -0.13515f}},
         {7, 189, {-0.90604f, 0.52052f, -0.52014f, -1.40495f}},
         {40, 245, {0.21988f, 0.45587f, 0.02842f, -0.22157f}},
         {99, 17, {2.22062f, 0.21934f, 0.54091f, -0.38412f}},
     }}},
    {"llama yarn",
     {{
         {0, 128, {-0.15185f, -0.28570f, 0.58950f, -0.34253f}},
         {7, 63, {0.58532f, -0.37258f, 1.87604f, -0.59852f}},
         {40, 76, {0.34326f, -1.15280f, -1.97101f, -0.41494f}},
         {99, 148, {-0.54930f, 0.83980f, -0.62849f, 1.27328f}},
     }}},
    {"phi3",
     {{
         {0, 274, {-0.33086f, -0.83811f, 2.25712f, 0.41932f}},
         {7, 183, {-0.17334f, -0.55992f, 1.86342f, -0.10401f}},
         {40, 36, {0.71062f, 1.25884f, 0.47205f, -3.05437f}},
         {99, 36, {-1.14517f, 0.04861f, 1.20674f, -1.38332f}},
     }}},
    {"phi3 longrope",
     {{
         {0, 274, {-0.33086f, -0.83811f, 2.25712f, 0.41932f}},
         {7, 287, {-0.45497f, -0.89998f, 2.19408f, 0.32121f}},
         {40, 36, {1.13631f, 1.03450f, 0.50675f, -2.56937f}},
         {99, 273, {-0.72888f, 0.51365f, 0.88512f, 0.18217f}},
     }}},
    {"phi3 shortrope",
     {{
         {0, 274, {-0.33086f, -0.83811f, 2.25712f, 0.41932f}},
         {7, 36, {-0.72572f, -0.72936f, 2.11149f, -0.22746f}},
         {40, 36, {1.50505f, 1.19082f, 0.72487f, -2.95727f}},
         {99, 119, {-0.85679f, 0.51471f, 1.59124f, -0.00420f}},
     }}},
    {"qwen2",
     {{
         {0, 136, {-1.47500f, 0.51113f, 0.14165f, -1.38836f}},
         {7, 228, {1.75856f, -0.48854f, 1.47573f, 0.45757f}},
         {40, 9, {0.25737f, 0.78422f, 1.77355f, 1.87982f}},
         {99, 236, {-0.09132f, 0.80644f, 0.40659f, 0.83382f}},
     }}},
    {"qwen3",
     {{
         {0, 226, {1.17994f, -0.60752f, 0.51106f, 1.05516f}},
         {7, 225, {0.74492f, 0.22565f, -1.54044f, 1.46958f}},
         {40, 63, {0.53174f, -0.53962f, 1.66826f, -0.66281f}},
         {99, 268, {0.53162f, 0.11347f, -0.76940f, 1.29482f}},
     }}},
};

std::vector<std::int32_t> some_tokens(int count = 100) {
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back((i * 37 + 11) % kTinyVocabulary);
  return tokens;
}

int likeliest(const std::vector<float>& logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::uint32_t ggml_type(kernels::Type type) {
  for (std::uint32_t id = 0; id < 64; ++id) {
    const GgmlType* known = find_ggml_type(id);
    if (known != nullptr && std::string_view(known->name) == kernels::layout_of(type).name) {
      return id;
    }
  }
  return 0;
}

void expect_rows(const ExpectedModel& expected, std::uint32_t type, float tolerance) {
  SCOPED_TRACE(std::string(expected.name) + " type " + std::to_string(type));
  const auto file =
      ModelFile::open(tiny_model(tiny_architecture(expected.name), type).save("tiny.gguf"));
  ASSERT_TRUE(file) << file.error().message;
  const Sequence sequence(*file);
  ASSERT_TRUE(sequence);
  const auto rows = sequence.logits(some_tokens());
  for (const Expected& row : expected.rows) {
    EXPECT_EQ(likeliest(rows[row.position]), row.likeliest) << "position " << row.position;
    for (std::size_t i = 0; i < kTokens.size(); ++i) {
      EXPECT_NEAR(rows[row.position][kTokens[i]], row.logits[i], tolerance)
          << "position " << row.position << " token " << kTokens[i];
    }
  }
}

TEST(Architectures, EachGivesTheLogitsOfTheReference) {
  ASSERT_EQ(std::size(kExpected), tiny_architectures().size());
  for (const ExpectedModel& expected : kExpected) {
    // The reference looks GELU up in a table of halves.
    const bool is_gemma = std::string_view(expected.name).starts_with("gemma");
    expect_rows(expected, 0, is_gemma ? 2e-3f : 2e-4f);
  }
}

TEST(Architectures, TheTypeOfExactWeightsChangesLittle) {
  for (const ExpectedModel& expected : kExpected) {
    for (const std::uint32_t type : {1u, 30u}) expect_rows(expected, type, 5e-2f);
  }
}

TEST(Architectures, ChunksChangeNothing) {
  for (const NamedArchitecture& architecture : tiny_architectures()) {
    const auto file = ModelFile::open(tiny_model(architecture.shape).save("tiny.gguf"));
    ASSERT_TRUE(file) << file.error().message;
    const Sequence sequence(*file);
    ASSERT_TRUE(sequence);
    const auto whole = sequence.logits(some_tokens());
    EXPECT_EQ(whole, sequence.logits(some_tokens(), 17)) << architecture.name;
  }
}

// Of a wide model, so that the rows of every type hold whole blocks.
TEST(Architectures, EmbeddingsOfEveryTypeAreTheOutputToo) {
  const TinyArchitecture shape{.layers = 1, .embedding = 256, .heads = 2, .head_size = 128};
  for (const kernels::Type type : kernels::kTypes) {
    GgufWriter model = tiny_model(shape);
    GgufWriter plain = tiny_model(shape);
    const auto table = kernels::random_weights(type, kTinyVocabulary, 256, 5);
    std::string bytes(reinterpret_cast<const char*>(table.bytes.data()), table.bytes.size());
    std::string floats;
    for (const double value : table.values) append_number(floats, static_cast<float>(value));
    model.add_tensor("token_embd.weight", ggml_type(type), {256, kTinyVocabulary}, bytes);
    plain.add_tensor("token_embd.weight", 0, {256, kTinyVocabulary}, floats);
    const auto file = ModelFile::open(model.save("typed.gguf"));
    const auto plain_file = ModelFile::open(plain.save("plain.gguf"));
    ASSERT_TRUE(file && plain_file);
    const auto rows = Sequence(*file).logits(some_tokens(20));
    const auto expected = Sequence(*plain_file).logits(some_tokens(20));
    float highest = 0;
    float apart = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows[i].size(); ++j) {
        highest = std::max(highest, std::abs(expected[i][j]));
        apart = std::max(apart, std::abs(rows[i][j] - expected[i][j]));
      }
    }
    EXPECT_LT(apart, 0.02f * highest) << kernels::layout_of(type).name;
  }
}

// With one layer a token can see no further than the window, and how far it is from the beginning
// turns nothing.
TEST(Architectures, AWindowOfALlamaIsAllThatIsSeen) {
  constexpr std::size_t kWindow = 24;
  TinyArchitecture shape{.layers = 1};
  shape.extra = [](GgufWriter& w) { w.add_unsigned("llama.attention.sliding_window", kWindow); };
  const auto file = ModelFile::open(tiny_model(shape).save("tiny.gguf"));
  ASSERT_TRUE(file) << file.error().message;
  const Sequence sequence(*file);
  ASSERT_TRUE(sequence);
  const auto tokens = some_tokens();
  const auto whole = sequence.logits(tokens).back();
  const auto seen =
      sequence.logits({tokens.end() - static_cast<long>(kWindow), tokens.end()}).back();
  const auto less =
      sequence.logits({tokens.end() - static_cast<long>(kWindow) + 1, tokens.end()}).back();
  float changed = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_NEAR(whole[i], seen[i], 1e-4f);
    changed = std::max(changed, std::abs(whole[i] - less[i]));
  }
  EXPECT_GT(changed, 1e-2f);
}

}  // namespace
}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Adapters at the model: what they add, and to which rows of a batch.
#include "plugins/backends/local/model/adaptation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <list>
#include <numeric>

#include "plugins/backends/local/model/model.hpp"
#include "tests/kernels/random_tensors.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kBatchMax = 64;
constexpr std::size_t kRank = 3;
constexpr float kScale = 0.5f;

const std::vector<std::string>& targets() {
  static const std::vector<std::string> names = {
      "token_embd.weight",   "output.weight",         "blk.0.attn_q.weight",
      "blk.0.attn_k.weight", "blk.1.attn_v.weight",   "blk.1.attn_output.weight",
      "blk.0.ffn_up.weight", "blk.1.ffn_gate.weight", "blk.1.ffn_down.weight"};
  return names;
}

class AdaptationTest : public testing::Test {
 protected:
  struct Loaded {
    std::unique_ptr<ModelFile> file;
    std::unique_ptr<Model> model;
    std::unique_ptr<KvPages> cache;
  };

  Loaded open(const GgufWriter& writer, const std::string& name) {
    Loaded out;
    auto file = ModelFile::open(writer.save(name));
    EXPECT_TRUE(file);
    out.file = std::make_unique<ModelFile>(std::move(*file));
    auto model = Model::load(*out.file, *device, kBatchMax, kBatchMax);
    EXPECT_TRUE(model) << model.error().message;
    out.model = std::move(*model);
    EXPECT_TRUE(out.model->allow_adaptations());
    out.cache = std::move(*out.model->new_pages(16));
    return out;
  }

  // An output matrix of its own, so that one name stands for one matrix.
  static GgufWriter untied() {
    GgufWriter writer = tiny_model();
    const auto table = kernels::random_weights(kernels::Type::kF32, vocabulary(), 32, 77);
    writer.add_tensor("output.weight", 0, {32, vocabulary()}, text_of(table.bytes));
    return writer;
  }
  static std::uint64_t vocabulary() {
    static const std::uint64_t size = [] {
      auto file = ModelFile::open(tiny_model().save("count.gguf"));
      return file->tensor("token_embd.weight")->dimensions[1];
    }();
    return size;
  }
  static std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  Adaptation adaptation(const Model& model, std::uint32_t seed) {
    Adaptation out;
    for (const std::string& name : targets()) {
      const kernels::Weights weights = model.parts_of(name).front().weights;
      const bool is_table = name == "token_embd.weight";
      const std::size_t outputs = is_table ? weights.columns : weights.rows;
      const auto down =
          is_table ? matrix(weights.rows, kRank, ++seed) : matrix(kRank, weights.columns, ++seed);
      const Adaptation::Change change{down, matrix(outputs, kRank, ++seed), kScale};
      if (is_table)
        out.set_embeddings(change);
      else
        EXPECT_TRUE(out.add(weights, change));
    }
    return out;
  }
  kernels::Weights matrix(std::size_t rows, std::size_t columns, std::uint32_t seed) {
    return kept.emplace_back(kernels::random_weights(kernels::Type::kF32, rows, columns, seed))
        .view;
  }

  // The same model with the change added to its weights.
  GgufWriter merged(GgufWriter writer, const Loaded& base, const Adaptation& adaptation) {
    for (const std::string& name : targets()) {
      const bool is_table = name == "token_embd.weight";
      const kernels::Weights weights = base.model->parts_of(name).front().weights;
      const auto* change = is_table ? adaptation.embeddings() : adaptation.find(weights);
      const auto* old = reinterpret_cast<const float*>(weights.data);
      const auto* down = reinterpret_cast<const float*>(change->down.data);
      const auto* up = reinterpret_cast<const float*>(change->up.data);
      std::string data;
      for (std::size_t r = 0; r < weights.rows; ++r) {
        for (std::size_t c = 0; c < weights.columns; ++c) {
          double sum = 0;
          for (std::size_t k = 0; k < kRank; ++k) {
            sum += is_table ? double{up[c * kRank + k]} * down[r * kRank + k]
                            : double{up[r * kRank + k]} * down[k * weights.columns + c];
          }
          append_number(data, static_cast<float>(old[r * weights.columns + c] + kScale * sum));
        }
      }
      writer.add_tensor(name, 0, {weights.columns, weights.rows}, data);
    }
    return writer;
  }

  // The logits and states of every token of a sequence that begins at `pages`.
  static std::vector<BatchEntry> sequence(const std::vector<PageId>& pages, int first, int count,
                                          const Adaptation* adaptation, float scale = 1) {
    std::vector<BatchEntry> batch;
    for (int i = 0; i < count; ++i) {
      batch.push_back({pages.data(), static_cast<std::uint32_t>(i), first + 7 * i, true, true,
                       adaptation, scale});
    }
    return batch;
  }
  static std::vector<float> logits(const Loaded& loaded, const std::vector<BatchEntry>& batch) {
    const auto rows = loaded.model->forward(batch, *loaded.cache);
    return {rows.data, rows.data + rows.rows * rows.columns};
  }
  static std::vector<float> hidden(const Loaded& loaded) {
    const auto rows = loaded.model->hidden_rows();
    return {rows.data, rows.data + rows.rows * rows.columns};
  }

  const std::vector<PageId> one{3, 1}, two{4, 5}, three{6, 7};
  std::list<kernels::RandomWeights> kept;
  std::unique_ptr<kernels::Device> device = kernels::make_cpu_device(2);
};

double largest(const std::vector<float>& values) {
  double most = 0;
  for (const float value : values) most = std::max(most, std::abs(double{value}));
  return most;
}

TEST_F(AdaptationTest, GivesWhatMergedWeightsGive) {
  const Loaded base = open(untied(), "base.gguf");
  const Adaptation change = adaptation(*base.model, 500);
  const Loaded dense = open(merged(untied(), base, change), "merged.gguf");
  const auto adapted = logits(base, sequence(one, 5, 20, &change));
  const auto adapted_hidden = hidden(base);
  const auto expected = logits(dense, sequence(one, 5, 20, nullptr));
  const auto expected_hidden = hidden(dense);
  const auto plain = logits(base, sequence(one, 5, 20, nullptr));
  ASSERT_EQ(adapted.size(), expected.size());
  double worst = 0, moved = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(double{adapted[i]} - expected[i]));
    moved = std::max(moved, std::abs(double{adapted[i]} - plain[i]));
  }
  EXPECT_LT(worst, 2e-4 * largest(expected));
  EXPECT_GT(moved, 0.1 * largest(expected)) << "the adaptation changes nothing";
  ASSERT_EQ(adapted_hidden.size(), 20 * 32U);
  for (std::size_t i = 0; i < expected_hidden.size(); ++i) {
    EXPECT_NEAR(adapted_hidden[i], expected_hidden[i], 1e-3);
  }
}

TEST_F(AdaptationTest, RowsOfABatchDoNotMeetEachOther) {
  const Loaded base = open(tiny_model(), "mixed.gguf");
  const Adaptation first = adaptation(*base.model, 10);
  const Adaptation second = adaptation(*base.model, 90);
  std::vector<std::vector<BatchEntry>> alone = {sequence(one, 5, 11, &first),
                                                sequence(two, 5, 12, nullptr),
                                                sequence(three, 5, 13, &second, 0.25f)};
  std::vector<float> expected;
  for (const auto& batch : alone) {
    const auto own = logits(base, batch);
    expected.insert(expected.end(), own.begin(), own.end());
  }
  std::vector<BatchEntry> together;
  for (const auto& batch : alone) together.insert(together.end(), batch.begin(), batch.end());
  EXPECT_EQ(logits(base, together), expected);
  EXPECT_NE(logits(base, sequence(one, 5, 11, nullptr)),
            logits(base, sequence(one, 5, 11, &first)));
}

TEST_F(AdaptationTest, StatesAreThoseThatWereAskedFor) {
  const Loaded base = open(tiny_model(), "hidden.gguf");
  auto batch = sequence(one, 5, 6, nullptr);
  logits(base, batch);
  const auto all = hidden(base);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].wants_hidden = i == 2 || i == 5;
    batch[i].wants_logits = false;
  }
  EXPECT_TRUE(logits(base, batch).empty());
  const auto some = hidden(base);
  ASSERT_EQ(some.size(), 2 * 32U);
  EXPECT_TRUE(std::equal(some.begin(), some.begin() + 32, all.begin() + 2 * 32));
  EXPECT_TRUE(std::equal(some.begin() + 32, some.end(), all.begin() + 5 * 32));
}

}  // namespace
}  // namespace backplane::local

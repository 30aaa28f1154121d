// SPDX-License-Identifier: Apache-2.0
// Every operator of a device against the same computed in double, over shapes that do and do not
// fill vectors, tiles and blocks; and the promise that threads and batches change nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/device.hpp"
#include "tests/kernels/random_tensors.hpp"

namespace backplane::kernels {
namespace {

constexpr std::uint32_t kSeed = 20260115;

void expect_near(const std::vector<float>& actual, const std::vector<double>& expected,
                 double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i],
                tolerance * (1 + std::abs(expected[i])))
        << what << " element " << i << " seed " << kSeed;
  }
}

class Operators : public testing::TestWithParam<std::size_t> {
 protected:
  std::unique_ptr<Device> device_ = make_cpu_device(GetParam());
};

bool is_quantized(Type type) {
  return layout_of(type).block_weights > 1;
}

// Multiples of 1/64 with 127 of them in every block: what quantised types round to without loss.
std::vector<float> exact_inputs(std::size_t count) {
  std::vector<float> values = random_floats(count, kSeed + 1);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = i % 32 == 7 ? 127.0f : std::clamp(std::round(values[i] * 40), -127.0f, 127.0f);
    values[i] /= 64;
  }
  return values;
}

std::vector<double> exact_matmul(const RandomWeights& weights, const std::vector<float>& x) {
  const std::size_t rows = weights.view.rows, columns = weights.view.columns;
  std::vector<double> out;
  for (std::size_t t = 0; t < x.size() / columns; ++t) {
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        sum += weights.values[r * columns + c] * static_cast<double>(x[t * columns + c]);
      }
      out.push_back(sum);
    }
  }
  return out;
}

std::vector<float> matmul(Device& device, const Weights& weights, std::vector<float>& x) {
  const std::size_t tokens = x.size() / weights.columns;
  std::vector<float> out(tokens * weights.rows, NAN);
  device.matmul(weights, {x.data(), tokens, weights.columns}, {out.data(), tokens, weights.rows});
  return out;
}

TEST_P(Operators, MatmulOfEveryTypeAndShape) {
  struct Shape {
    std::size_t rows, columns, tokens;
  };
  const Shape shapes[] = {{1, 32, 1},  {3, 64, 2},   {4, 96, 3},    {5, 128, 4},   {7, 160, 5},
                          {33, 64, 9}, {64, 172, 1}, {172, 64, 6},  {16, 256, 8},  {130, 256, 7},
                          {512, 1, 2}, {2, 17, 1},   {300, 512, 4}, {35, 1280, 17}};
  for (const Type type : kTypes) {
    for (const Shape& shape : shapes) {
      if (shape.columns % layout_of(type).block_weights != 0) continue;
      const auto weights = random_weights(type, shape.rows, shape.columns, kSeed);
      const std::size_t inputs = shape.tokens * shape.columns;
      auto x = is_quantized(type) ? exact_inputs(inputs) : random_floats(inputs, kSeed + 1);
      expect_near(matmul(*device_, weights.view, x), exact_matmul(weights, x), 2e-5,
                  std::string(layout_of(type).name) + " " + std::to_string(shape.rows) + "x" +
                      std::to_string(shape.columns) + "x" + std::to_string(shape.tokens));
    }
  }
}

TEST_P(Operators, RoundingOfActivationsIsLost) {
  constexpr std::size_t kRows = 64, kColumns = 2048, kTokens = 3;
  for (const Type type : kTypes) {
    const auto weights = random_weights(type, kRows, kColumns, kSeed);
    auto x = random_floats(kTokens * kColumns, kSeed + 3);
    const auto expected = exact_matmul(weights, x);
    const auto out = matmul(*device_, weights.view, x);
    double error = 0, power = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      error += std::pow(static_cast<double>(out[i]) - expected[i], 2);
      power += std::pow(expected[i], 2);
    }
    EXPECT_LT(std::sqrt(error / power), is_quantized(type) ? 0.008 : 1e-5) << layout_of(type).name;
  }
}

TEST_P(Operators, MatmulOfActivationsThatAreZeroOrTiny) {
  for (const Type type : kTypes) {
    const auto weights = random_weights(type, 20, 512, kSeed);
    for (const float value : {0.0f, 1e-42f, 1e-30f}) {
      std::vector<float> x(512, value);
      for (const float out : matmul(*device_, weights.view, x)) {
        ASSERT_LT(std::abs(out), 1e-25f) << layout_of(type).name << " of " << value;
      }
    }
  }
}

TEST_P(Operators, MatmulOfATokenDoesNotDependOnItsBatch) {
  for (const Type type : kTypes) {
    constexpr std::size_t kRows = 203, kColumns = 768, kTokens = 11;
    const auto weights = random_weights(type, kRows, kColumns, kSeed);
    auto x = random_floats(kTokens * kColumns, kSeed + 2);
    std::vector<float> together(kTokens * kRows);
    device_->matmul(weights.view, {x.data(), kTokens, kColumns}, {together.data(), kTokens, kRows});
    const auto single = make_cpu_device(1);
    for (std::size_t t = 0; t < kTokens; ++t) {
      std::vector<float> alone(kRows);
      single->matmul(weights.view, {x.data() + t * kColumns, 1, kColumns},
                     {alone.data(), 1, kRows});
      EXPECT_TRUE(
          std::equal(alone.begin(), alone.end(), together.begin() + static_cast<long>(t * kRows)))
          << "token " << t << " seed " << kSeed;
    }
  }
}

TEST_P(Operators, EmbedGivesTheRowsOfTheTable) {
  constexpr std::size_t kColumns = 512;
  const std::vector<std::int32_t> tokens = {4, 0, 6, 4};
  for (const Type type : kTypes) {
    const auto table = random_weights(type, 7, kColumns, kSeed);
    std::vector<float> out(tokens.size() * kColumns);
    device_->embed(table.view, tokens, {out.data(), tokens.size(), kColumns});
    std::vector<double> expected;
    for (const std::int32_t token : tokens) {
      const auto row = table.values.begin() + token * static_cast<long>(kColumns);
      expected.insert(expected.end(), row, row + kColumns);
    }
    expect_near(out, expected, 1e-7, "embed");
  }
}

TEST_P(Operators, RmsNorm) {
  for (const std::size_t columns : {1u, 5u, 16u, 64u, 173u}) {
    auto x = random_floats(3 * columns, kSeed);
    const auto scale = random_floats(columns, kSeed + 1);
    std::vector<double> expected;
    for (std::size_t t = 0; t < 3; ++t) {
      double sum = 0;
      for (std::size_t i = 0; i < columns; ++i) {
        sum += std::pow(static_cast<double>(x[t * columns + i]), 2);
      }
      const double factor = 1 / std::sqrt(sum / static_cast<double>(columns) + 1e-5);
      for (std::size_t i = 0; i < columns; ++i) {
        expected.push_back(static_cast<double>(x[t * columns + i]) * factor *
                           static_cast<double>(scale[i]));
      }
    }
    const Matrix matrix{x.data(), 3, columns};
    device_->rms_norm(matrix, scale.data(), 1e-5f, matrix);
    expect_near(x, expected, 1e-5, "rms_norm in place");
  }
}

TEST_P(Operators, RopeTurnsPairsAndLeavesTheRest) {
  constexpr std::size_t kHead = 10, kRotary = 6, kHeads = 3, kRows = 2;
  const std::vector<float> before = random_floats(kRows * kHeads * kHead, kSeed);
  std::vector<float> turns;
  std::vector<double> angles = {0.3, -1.2, 2.5, 100, 0, 7};
  for (const double angle : angles) {
    turns.push_back(static_cast<float>(std::cos(angle)));
    turns.push_back(static_cast<float>(std::sin(angle)));
  }
  for (const RopePairs pairs : {RopePairs::kNeighbours, RopePairs::kHalves}) {
    const bool halves = pairs == RopePairs::kHalves;
    std::vector<double> expected(before.begin(), before.end());
    for (std::size_t i = 0; i < kRows * kHeads * kRotary / 2; ++i) {
      const std::size_t head = i / (kRotary / 2) * kHead;
      const std::size_t pair = i % (kRotary / 2);
      const std::size_t first = head + (halves ? pair : 2 * pair);
      const std::size_t second = halves ? first + kRotary / 2 : first + 1;
      const double angle = angles[i / (kHeads * kRotary / 2) * kRotary / 2 + pair];
      const double a = static_cast<double>(before[first]);
      const double b = static_cast<double>(before[second]);
      expected[first] = a * std::cos(angle) - b * std::sin(angle);
      expected[second] = a * std::sin(angle) + b * std::cos(angle);
    }
    std::vector<float> x = before;
    device_->rope({x.data(), kRows, kHeads * kHead}, kHead, pairs, {turns.data(), kRows, kRotary});
    expect_near(x, expected, 1e-5, halves ? "rope of halves" : "rope of neighbours");
  }
}

TEST_P(Operators, GeluMulAddBiasScaleSoftCap) {
  constexpr std::size_t kRows = 3, kColumns = 37;
  const auto x0 = random_floats(kRows * kColumns, kSeed);
  const auto y = random_floats(kRows * kColumns, kSeed + 1);
  std::vector<double> gelu, biased, scaled, capped;
  for (std::size_t i = 0; i < x0.size(); ++i) {
    const double v = static_cast<double>(x0[i]);
    const double bent = std::sqrt(2 / 3.14159265358979323846) * (v + 0.044715 * v * v * v);
    gelu.push_back(v / 2 * (1 + std::tanh(bent)) * static_cast<double>(y[i]));
    biased.push_back(v + static_cast<double>(y[i % kColumns]));
    scaled.push_back(v * 1.75);
    capped.push_back(0.5 * std::tanh(v / 0.5));
  }
  std::vector<float> x = x0;
  const Matrix matrix{x.data(), kRows, kColumns};
  device_->gelu_mul(matrix, {y.data(), kRows, kColumns});
  expect_near(x, gelu, 1e-5, "gelu_mul");
  x = x0;
  device_->add_bias(matrix, y.data());
  expect_near(x, biased, 1e-6, "add_bias");
  x = x0;
  device_->scale(matrix, 1.75f);
  expect_near(x, scaled, 1e-6, "scale");
  x = x0;
  device_->soft_cap(matrix, 0.5f);
  expect_near(x, capped, 1e-5, "soft_cap");
}

TEST_P(Operators, SoftmaxSiluMulAddGatherScatter) {
  auto x = random_floats(2 * 37, kSeed);
  auto y = random_floats(2 * 37, kSeed + 1);
  const std::vector<float> x0 = x;
  std::vector<double> silu, sums, soft;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = static_cast<double>(x0[i]);
    silu.push_back(value / (1 + std::exp(-value)) * static_cast<double>(y[i]));
    sums.push_back(value + static_cast<double>(y[i]));
  }
  for (std::size_t t = 0; t < 2; ++t) {
    double sum = 0;
    for (std::size_t i = 0; i < 37; ++i) sum += std::exp(static_cast<double>(x0[t * 37 + i]));
    for (std::size_t i = 0; i < 37; ++i) {
      soft.push_back(std::exp(static_cast<double>(x0[t * 37 + i])) / sum);
    }
  }
  const Matrix matrix{x.data(), 2, 37};
  device_->silu_mul(matrix, {y.data(), 2, 37});
  expect_near(x, silu, 1e-5, "silu_mul");
  x = x0;
  device_->add(matrix, {y.data(), 2, 37});
  expect_near(x, sums, 1e-6, "add");
  x = x0;
  device_->softmax(matrix);
  expect_near(x, soft, 1e-5, "softmax");

  const std::vector<std::uint32_t> rows = {1, 0, 1};
  std::vector<float> gathered(3 * 37);
  device_->gather(matrix, rows, {gathered.data(), 3, 37});
  EXPECT_TRUE(std::equal(x.begin() + 37, x.end(), gathered.begin() + 74));
}

// The cache of one sequence in pages that lie in another order.
struct PagedSequence {
  PagedSequence(Device& device, const HeadShape& shape, std::size_t positions, std::uint32_t seed)
      : shape_(shape), row_(shape.kv_heads * shape.head_size), stride_(kPagePositions * row_) {
    const std::size_t count = (positions + kPagePositions - 1) / kPagePositions;
    for (std::size_t i = 0; i < count; ++i) {
      pages.push_back(static_cast<std::uint32_t>(count - i));
    }
    keys_ = random_floats(positions * row_, seed);
    values_ = random_floats(positions * row_, seed + 1);
    cached_keys_.assign((count + 1) * stride_, kNothing);
    cached_values_.assign((count + 1) * stride_, kNothing);
    std::vector<PageSlot> slots;
    for (std::size_t p = 0; p < positions; ++p) {
      slots.push_back({pages[p / kPagePositions], static_cast<std::uint32_t>(p % kPagePositions)});
    }
    device.store({keys_.data(), positions, row_}, {values_.data(), positions, row_},
                 shape.head_size, slots, keys(), values());
  }
  PagedRows keys() { return {cached_keys_.data(), stride_}; }
  PagedRows values() { return {cached_values_.data(), stride_}; }
  double key(std::size_t position, std::size_t head, std::size_t i) const {
    return static_cast<double>(keys_[position * row_ + head * shape_.head_size + i]);
  }
  double value(std::size_t position, std::size_t head, std::size_t i) const {
    return static_cast<double>(values_[position * row_ + head * shape_.head_size + i]);
  }

  std::vector<std::uint32_t> pages;

 private:
  // What was never stored may be anything, and must not be heard of.
  static constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
  HeadShape shape_;
  std::size_t row_;
  std::size_t stride_;
  std::vector<float> keys_, values_;
  std::vector<float> cached_keys_, cached_values_;
};

std::vector<double> reference_attention(const float* q, const PagedSequence& sequence,
                                        const AttentionSpan& span, const HeadShape& shape) {
  std::vector<double> out(shape.heads * shape.head_size);
  const double scale = shape.score_scale != 0 ? static_cast<double>(shape.score_scale)
                                              : 1 / std::sqrt(static_cast<double>(shape.head_size));
  const double cap = static_cast<double>(shape.score_cap);
  for (std::size_t head = 0; head < shape.heads; ++head) {
    const std::size_t kv = head / (shape.heads / shape.kv_heads);
    std::vector<double> scores;
    double sum = 0;
    for (std::size_t p = span.first; p < span.length; ++p) {
      double score = 0;
      for (std::size_t i = 0; i < shape.head_size; ++i) {
        score += static_cast<double>(q[head * shape.head_size + i]) * sequence.key(p, kv, i);
      }
      score *= scale;
      scores.push_back(std::exp(cap > 0 ? cap * std::tanh(score / cap) : score));
      sum += scores.back();
    }
    for (std::size_t p = span.first; p < span.length; ++p) {
      for (std::size_t i = 0; i < shape.head_size; ++i) {
        out[head * shape.head_size + i] += scores[p - span.first] / sum * sequence.value(p, kv, i);
      }
    }
  }
  return out;
}

constexpr HeadShape kHeadShapes[] = {{1, 1, 8},        {8, 4, 8},          {6, 2, 20},
                                     {4, 1, 64},       {40, 2, 16},        {4, 2, 16, 0.4f},
                                     {4, 2, 16, 0, 2}, {2, 2, 20, 0.3f, 5}};

TEST_P(Operators, AttentionOverSpansOfManyLengths) {
  const std::size_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 200, 127, 81, 200, 97, 112};
  for (const HeadShape& shape : kHeadShapes) {
    PagedSequence sequence(*device_, shape, 200, kSeed);
    const std::size_t query = shape.heads * shape.head_size;
    auto queries = random_floats(std::size(lengths) * query, kSeed + 2);
    std::vector<AttentionSpan> spans;
    std::vector<double> expected;
    for (std::size_t t = 0; t < std::size(lengths); ++t) {
      const std::size_t window = t % 2 == 0 ? lengths[t] : std::min<std::size_t>(lengths[t], 33);
      spans.push_back({sequence.pages.data(), lengths[t], lengths[t] - window});
      const auto one = reference_attention(queries.data() + t * query, sequence, spans[t], shape);
      expected.insert(expected.end(), one.begin(), one.end());
    }
    std::vector<float> out(queries.size());
    device_->attention({queries.data(), spans.size(), query}, sequence.keys(), sequence.values(),
                       spans, shape, {out.data(), spans.size(), query});
    expect_near(out, expected, 3e-5, "attention head " + std::to_string(shape.head_size));
  }
}

// To the bit: what else is in a batch, and how its heads are shared out, changes nothing.
TEST_P(Operators, AttentionOfOneTokenIsWhatItIsInABatch) {
  for (const HeadShape& shape : kHeadShapes) {
    PagedSequence sequence(*device_, shape, 200, kSeed);
    const std::size_t query = shape.heads * shape.head_size;
    constexpr std::size_t kTokens = 24;
    const auto queries = random_floats(kTokens * query, kSeed + 2);
    std::vector<AttentionSpan> spans;
    for (std::size_t t = 0; t < kTokens; ++t) spans.push_back({sequence.pages.data(), 9 * t + 1});
    spans.back() = {sequence.pages.data(), 200, 77};
    std::vector<float> together(queries.size());
    device_->attention({queries.data(), kTokens, query}, sequence.keys(), sequence.values(), spans,
                       shape, {together.data(), kTokens, query});
    for (std::size_t t = 0; t < kTokens; ++t) {
      std::vector<float> alone(query);
      device_->attention({queries.data() + t * query, 1, query}, sequence.keys(), sequence.values(),
                         {&spans[t], 1}, shape, {alone.data(), 1, query});
      EXPECT_TRUE(
          std::equal(alone.begin(), alone.end(), together.begin() + static_cast<long>(t * query)));
    }
  }
}

TEST_P(Operators, StoreTouchesItsSlotsAlone) {
  const auto keys = random_floats(3 * 16, kSeed);
  const auto values = random_floats(3 * 16, kSeed + 1);
  const std::vector<PageSlot> slots = {{1, 0}, {0, 15}, {1, 7}};
  const std::size_t stride = 2 * kPagePositions * 16;  // as if a page held another layer, too
  std::vector<float> cached_keys(2 * stride, -1);
  std::vector<float> cached_values(2 * stride, -1);
  device_->store({keys.data(), 3, 16}, {values.data(), 3, 16}, 8, slots,
                 {cached_keys.data(), stride}, {cached_values.data(), stride});
  for (const auto* cached : {&cached_keys, &cached_values}) {
    EXPECT_EQ(std::count(cached->begin(), cached->end(), -1.0f),
              static_cast<long>(cached->size() - keys.size()));
    const auto other_layer = cached->begin() + static_cast<long>(stride / 2);
    EXPECT_EQ(std::count(other_layer, other_layer + static_cast<long>(stride / 2), -1.0f),
              static_cast<long>(stride / 2));
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Operators, testing::Values(1, 3));

TEST(CpuDevice, NamesItsInstructionSetAndThreads) {
  const std::string name = make_cpu_device(2)->name();
  EXPECT_TRUE(name.starts_with("cpu ")) << name;
  EXPECT_TRUE(name.ends_with(" x2")) << name;
}

TEST(CpuDevice, RefusesMoreMemoryThanThereCanBe) {
  const auto device = make_cpu_device(1);
  EXPECT_EQ(device->allocate(SIZE_MAX - 8), nullptr);
  void* memory = device->allocate(100);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u);
  device->release(memory);
}

}  // namespace
}  // namespace backplane::kernels

// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/dequantize.hpp"
#include "kernels/float16.hpp"

namespace backplane::kernels {
namespace {

constexpr std::size_t kWeights = std::size_t{256} * 512;

// Like weights: bell-shaped; with long tails; and all on one side.
std::vector<float> weights_of(int kind) {
  std::mt19937 random(7);
  std::vector<float> weights(kWeights);
  for (float& weight : weights) {
    float bell = -6;
    for (int i = 0; i < 12; ++i) bell += static_cast<float>(random()) * 0x1p-32F;
    weight = 0.02F * (kind == 1 ? bell * bell * bell : bell) + (kind == 2 ? 0.05F : 0);
  }
  return weights;
}

std::vector<float> through(Type type, const std::vector<float>& weights) {
  std::vector<std::byte> row(row_bytes(type, weights.size()));
  quantize_row(type, weights, row.data());
  std::vector<float> out(weights.size());
  dequantize_row(type, row.data(), out);
  return out;
}

double rmse(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

// What ggml's quantisers lose on the same weights.
struct Recorded {
  Type type;
  double rmse[3];
};
constexpr Recorded kRecorded[] = {
    {Type::kF16, {4.1410e-06, 1.5202e-05, 1.1364e-05}},
    {Type::kBF16, {3.2961e-05, 1.2224e-04, 9.0857e-05}},
    {Type::kQ8_0, {1.0519e-04, 6.3103e-04, 2.0494e-04}},
    {Type::kQ4_0, {1.6910e-03, 8.0631e-03, 3.2484e-03}},
    {Type::kQ4_1, {1.5432e-03, 8.3174e-03, 1.5432e-03}},
    {Type::kQ5_0, {8.4052e-04, 4.3764e-03, 1.6216e-03}},
    {Type::kQ5_1, {7.4828e-04, 4.0629e-03, 7.4826e-04}},
    {Type::kQ4_K, {1.4078e-03, 6.6342e-03, 1.5903e-03}},
    {Type::kQ5_K, {7.1294e-04, 3.6522e-03, 7.9151e-04}},
    {Type::kQ6_K, {3.4930e-04, 1.7893e-03, 6.8363e-04}},
};

TEST(Quantize, LosesNoMoreThanTheReference) {
  for (int kind = 0; kind < 3; ++kind) {
    const std::vector<float> weights = weights_of(kind);
    for (const Recorded& recorded : kRecorded) {
      EXPECT_LE(rmse(weights, through(recorded.type, weights)), 1.01 * recorded.rmse[kind])
          << layout_of(recorded.type).name << " kind " << kind;
    }
  }
}

TEST(Quantize, EveryTypeIsRecorded) {
  for (const Type type : kTypes) {
    bool found = type == Type::kF32;
    for (const Recorded& recorded : kRecorded) found = found || recorded.type == type;
    EXPECT_TRUE(found) << layout_of(type).name;
  }
}

TEST(Quantize, WhatCanBeKeptIsKept) {
  for (const Type type : kTypes) {
    const std::vector<float> zeros(256, 0.0F);
    EXPECT_EQ(through(type, zeros), zeros) << layout_of(type).name;
    // Powers of two apart, so that every type has the number.
    std::vector<float> two(256, 0.0F);
    for (std::size_t i = 0; i < two.size(); i += 2) two[i] = -0.5F;
    const std::vector<float> out = through(type, two);
    for (std::size_t i = 0; i < two.size(); ++i) {
      EXPECT_NEAR(out[i], two[i], 0.004F) << layout_of(type).name << " weight " << i;
    }
  }
}

TEST(Quantize, FloatsOf32BitsAreTheSame) {
  const std::vector<float> weights = weights_of(0);
  EXPECT_EQ(through(Type::kF32, weights), weights);
}

TEST(Quantize, OneSignAndOneValue) {
  for (const Type type : kTypes) {
    for (const float value : {0.05F, -0.05F, 3.0F, -3.0F}) {
      const std::vector<float> same(256, value);
      for (const float weight : through(type, same)) {
        ASSERT_NEAR(weight, value, std::abs(value) * 0.02F) << layout_of(type).name;
      }
    }
  }
}

TEST(Quantize, AnythingAtAllIsTaken) {
  const float inf = std::numeric_limits<float>::infinity();
  const float none = std::numeric_limits<float>::quiet_NaN();
  const float most = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  for (const Type type : kTypes) {
    for (const auto& [a, b] : {std::pair{inf, 1.0F},
                               {none, 1.0F},
                               {-inf, inf},
                               {none, none},
                               {most, -most},
                               {least, 0.0F},
                               {least, most}}) {
      std::vector<float> weights(256, a);
      for (std::size_t i = 0; i < weights.size(); i += 3) weights[i] = b;
      EXPECT_EQ(through(type, weights).size(), weights.size());
    }
  }
}

}  // namespace
}  // namespace backplane::kernels

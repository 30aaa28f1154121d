// SPDX-License-Identifier: Apache-2.0
// Tensors filled from a seed, and the weights of each type as the doubles they stand for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dequantize.hpp"
#include "kernels/float16.hpp"
#include "kernels/quantized_blocks.hpp"
#include "kernels/tensor.hpp"

namespace backplane::kernels {

inline std::vector<float> random_floats(std::size_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> values(count);
  for (float& value : values) value = distribution(engine);
  return values;
}

struct RandomWeights {
  std::vector<std::byte> bytes;
  std::vector<double> values;  // exactly what the bytes mean
  Weights view;
};

inline void put_half(float value, std::byte* to) {
  const std::uint16_t half = half_from_float(value);
  std::memcpy(to, &half, sizeof(half));
}

// Where a block of this type keeps its halves.
inline std::vector<std::size_t> half_offsets(Type type) {
  switch (type) {
    case Type::kQ4_1:
    case Type::kQ5_1:
    case Type::kQ4_K:
    case Type::kQ5_K:
      return {0, 2};
    case Type::kQ6_K:
      return {208};
    default:
      return {0};
  }
}

// Quantised weights are random bytes with scales that keep them near 1.
inline RandomWeights random_weights(Type type, std::size_t rows, std::size_t columns,
                                    std::uint32_t seed) {
  RandomWeights weights;
  const std::vector<float> floats = random_floats(rows * columns, seed);
  weights.bytes.resize(rows * row_bytes(type, columns));
  std::byte* to = weights.bytes.data();
  const TypeLayout layout = layout_of(type);
  std::mt19937 engine(seed);
  for (std::size_t i = 0; i < floats.size(); i += layout.block_weights) {
    if (type == Type::kF32) {
      std::memcpy(to, &floats[i], sizeof(float));
    } else if (type == Type::kF16) {
      put_half(floats[i], to);
    } else if (type == Type::kBF16) {
      const std::uint16_t bfloat = bfloat_from_float(floats[i]);
      std::memcpy(to, &bfloat, sizeof(bfloat));
    } else {
      for (std::size_t b = 0; b < layout.block_bytes; ++b) to[b] = std::byte(engine() & 0xff);
      const bool large = layout.block_weights == kLargeBlockWeights;
      const float scale = type == Type::kQ8_0 ? 0.01f : large ? 0.002f : 0.1f;
      for (const std::size_t offset : half_offsets(type)) {
        put_half(scale * (1 + 0.5f * std::tanh(floats[i + offset % 3])), to + offset);
      }
    }
    to += layout.block_bytes;
  }
  std::vector<float> read(columns);
  for (std::size_t row = 0; row < rows; ++row) {
    dequantize_row(type, weights.bytes.data() + row * row_bytes(type, columns), read);
    weights.values.insert(weights.values.end(), read.begin(), read.end());
  }
  weights.view = {weights.bytes.data(), type, rows, columns};
  return weights;
}

}  // namespace backplane::kernels

// SPDX-License-Identifier: Apache-2.0
// Tensors filled from a seed, and the weights of each type as the doubles they stand for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/float16.hpp"
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

inline void append_half(std::uint16_t half, std::vector<std::byte>& bytes) {
  bytes.push_back(static_cast<std::byte>(half & 0xff));
  bytes.push_back(static_cast<std::byte>(half >> 8));
}

inline RandomWeights random_weights(Type type, std::size_t rows, std::size_t columns,
                                    std::uint32_t seed) {
  RandomWeights weights;
  const std::vector<float> floats = random_floats(rows * columns, seed);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    if (type == Type::kF32) {
      std::byte raw[sizeof(float)];
      std::memcpy(raw, &floats[i], sizeof(raw));
      weights.bytes.insert(weights.bytes.end(), std::begin(raw), std::end(raw));
      weights.values.push_back(static_cast<double>(floats[i]));
    } else if (type == Type::kF16) {
      append_half(half_from_float(floats[i]), weights.bytes);
      weights.values.push_back(static_cast<double>(float_from_half(half_from_float(floats[i]))));
    } else {
      if (i % kQ8_0BlockWeights == 0) append_half(half_from_float(0.03f), weights.bytes);
      const auto quantised = static_cast<std::int8_t>(std::clamp(floats[i] * 40, -127.0f, 127.0f));
      weights.bytes.push_back(static_cast<std::byte>(quantised));
      const float scale = float_from_half(half_from_float(0.03f));
      weights.values.push_back(static_cast<double>(scale) * quantised);
    }
  }
  weights.view = {weights.bytes.data(), type, rows, columns};
  return weights;
}

}  // namespace backplane::kernels

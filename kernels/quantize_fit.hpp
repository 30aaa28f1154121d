// SPDX-License-Identifier: Apache-2.0
// The scale, or scale and offset, with which whole numbers come nearest to some weights. Each
// weight's square error counts by its importance.
#pragma once

#include <cstdint>
#include <span>

namespace backplane::kernels {

// weight ~ scale * q, q from `low` to `high`.
struct WholeRange {
  int low = 0;
  int high = 0;
};

// 0 when all weights are 0.
float fit_scale(std::span<const float> weights, std::span<const float> importance,
                WholeRange range);

// weight ~ scale * q + offset, q from 0 to `high`.
struct Affine {
  float scale = 0;
  float offset = 0;
};

// Whether the offset may be above 0: the types _K store one that is subtracted.
enum class Offset { kAny, kNotAbove0 };

Affine fit_affine(std::span<const float> weights, std::span<const float> importance, int high,
                  Offset offset);

// The nearest whole number within the range, ties to even; `low` for what is no number.
inline float whole(float value, float low, float high) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: beyond it floats have no fractions
  const float bounded = value > low ? (value < high ? value : high) : low;
  return (bounded + kShift) - kShift;
}

}  // namespace backplane::kernels

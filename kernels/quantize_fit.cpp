// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize_fit.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace backplane::kernels {
namespace {

constexpr int kScaleSteps = 9;    // tried on either side of the plain scale
constexpr int kAffineSteps = 20;  // tried from a wider to a narrower grid
constexpr float kStep = 0.1F;     // of one grid to the next, in whole numbers at its end
constexpr float kWidest = -1.0F;  // where they begin
// Below it all whole numbers are the same, and many lines go through them.
constexpr float kSameNumbers = 1e-5F;

// What a grid amounts to: the least-squares scale on it and how much error that takes away.
struct Grid {
  float scale = 0;
  float gain = 0;
};

Grid try_scale(std::span<const float> weights, std::span<const float> importance, float inverse,
               WholeRange range) {
  const auto low = static_cast<float>(range.low);
  const auto high = static_cast<float>(range.high);
  float product = 0;
  float square = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float q = whole(inverse * weights[i], low, high);
    product += importance[i] * weights[i] * q;
    square += importance[i] * q * q;
  }
  if (!(square > 0)) return {};
  return {product / square, product * product / square};
}

struct Sums {
  float one = 0;  // of importance, and times the weight, its square
  float weight = 0;
  float square = 0;
};

struct Fit {
  Affine affine;
  float error = 0;
};

// The least-squares line through the weights over their whole numbers on this grid.
Fit try_affine(std::span<const float> weights, std::span<const float> importance, const Sums& sums,
               float inverse, float low, int high, Offset offset) {
  float q1 = 0;
  float q2 = 0;
  float qw = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float q = whole(inverse * (weights[i] - low), 0, static_cast<float>(high));
    q1 += importance[i] * q;
    q2 += importance[i] * q * q;
    qw += importance[i] * q * weights[i];
  }
  const float determinant = sums.one * q2 - q1 * q1;
  if (!(q2 > 0)) return {{0, 0}, sums.square};
  Fit fit;
  const bool is_line = determinant > kSameNumbers * sums.one * q2;
  if (is_line) {
    fit.affine.scale = (sums.one * qw - sums.weight * q1) / determinant;
    fit.affine.offset = (q2 * sums.weight - q1 * qw) / determinant;
  }
  if (!is_line || (offset == Offset::kNotAbove0 && fit.affine.offset > 0)) {
    fit.affine = {qw / q2, 0};
  }
  const float scale = fit.affine.scale;
  const float shift = fit.affine.offset;
  fit.error = sums.square + scale * scale * q2 + shift * shift * sums.one +
              2 * (scale * shift * q1 - scale * qw - shift * sums.weight);
  return fit;
}

}  // namespace

float fit_scale(std::span<const float> weights, std::span<const float> importance,
                WholeRange range) {
  assert(weights.size() == importance.size());
  float extreme = 0;
  for (const float weight : weights) {
    if (std::abs(weight) > std::abs(extreme)) extreme = weight;
  }
  if (extreme == 0 || !std::isfinite(extreme)) return 0;
  Grid best;
  // The longer side of the range goes to the extreme weight, whatever its sign.
  for (int step = -kScaleSteps; step <= kScaleSteps; ++step) {
    const float inverse =
        (static_cast<float>(range.low) + kStep * static_cast<float>(step)) / extreme;
    const Grid grid = try_scale(weights, importance, inverse, range);
    if (grid.gain > best.gain) best = grid;
  }
  return best.scale;
}

Affine fit_affine(std::span<const float> weights, std::span<const float> importance, int high,
                  Offset offset) {
  assert(weights.size() == importance.size());
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  const float low = offset == Offset::kNotAbove0 ? std::min(*least, 0.0F) : *least;
  const float width = *most - low;
  if (!(width > 0) || !std::isfinite(width)) return {0, std::isfinite(low) ? low : 0};
  Sums sums;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sums.one += importance[i];
    sums.weight += importance[i] * weights[i];
    sums.square += importance[i] * weights[i] * weights[i];
  }
  Fit best{{0, 0}, sums.square};
  for (int step = 0; step <= kAffineSteps; ++step) {
    const float top = static_cast<float>(high) + kWidest + kStep * static_cast<float>(step);
    const Fit fit = try_affine(weights, importance, sums, top / width, low, high, offset);
    if (fit.error < best.error && fit.affine.scale > 0) best = fit;
  }
  return best.affine;
}

}  // namespace backplane::kernels

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/sampling/selection.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <limits>

namespace backplane::local {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr std::size_t kLanes = 16;
constexpr std::size_t kHeapCountMax = 256;  // beyond it a heap costs more than a partition

// e^x of x from about -87 to 0 to some 1e-7, without a branch so that loops over it become vector
// instructions (the polynomial of Cephes' expf).
inline float exponential(float x) {
  constexpr float kLowest = -87.0f;
  const float in_range = x > kLowest ? x : kLowest;
  const auto n = static_cast<std::int32_t>(in_range * 1.44269504f - 0.5f);
  const float r =
      (in_range - static_cast<float>(n) * 0.693359375f) - static_cast<float>(n) * -2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  return y * std::bit_cast<float>(x > kLowest ? (n + 127) << 23 : 0);
}

// Orders integers as their floats, and what is no number below all.
inline std::int32_t order_of(float value) {
  constexpr std::int32_t kInfinity = 0x7f800000;
  const auto bits = std::bit_cast<std::int32_t>(value);
  const std::int32_t order = bits >= 0 ? bits : bits ^ 0x7fffffff;
  return (bits & 0x7fffffff) > kInfinity ? INT32_MIN : order;
}

std::size_t whole_lanes(std::size_t size) {
  return size - size % kLanes;
}

}  // namespace

float highest(std::span<const float> logits) {
  std::int32_t best = order_of(kNothing);
  for (const float logit : logits) {
    const std::int32_t order = order_of(logit);
    best = order > best ? order : best;
  }
  return std::bit_cast<float>(best >= 0 ? best : best ^ 0x7fffffff);
}

Token likeliest(std::span<const float> logits) {
  const auto found = std::find(logits.begin(), logits.end(), highest(logits));
  return found == logits.end() ? 0 : static_cast<Token>(found - logits.begin());
}

float weight_of(float logit, float shift, float scale) {
  return exponential((logit - shift) * scale);
}

double weigh(std::span<const float> logits, float shift, float scale, std::span<float> weights) {
  assert(weights.size() == logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    weights[i] = exponential((logits[i] - shift) * scale);
  }
  std::array<double, kLanes> sums{};
  const std::size_t whole = whole_lanes(weights.size());
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(weights[i + lane]);
    }
  }
  double sum = 0;
  for (std::size_t i = whole; i < weights.size(); ++i) sum += static_cast<double>(weights[i]);
  for (const double lane : sums) sum += lane;
  return sum;
}

double sum_of_weights(std::span<const float> logits, float shift) {
  constexpr std::size_t kBlock = 1024;
  std::array<float, kBlock> weights;
  double sum = 0;
  for (std::size_t at = 0; at < logits.size(); at += kBlock) {
    const std::span<const float> block = logits.subspan(at, std::min(kBlock, logits.size() - at));
    sum += weigh(block, shift, 1, std::span(weights).first(block.size()));
  }
  return sum;
}

void select_largest(std::span<const float> logits, std::size_t count, std::vector<Candidate>& out) {
  out.clear();
  count = std::min(count, logits.size());
  if (count == 0) return;
  const bool heaps = count <= kHeapCountMax;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    // Equals are likelier the earlier they come, so one that is not above the least stays out.
    if (heaps && out.size() == count && !(logits[i] > out.front().weight)) continue;
    if (!(logits[i] > kNothing)) continue;
    const Candidate candidate{logits[i], static_cast<Token>(i)};
    if (heaps && out.size() == count) {
      std::pop_heap(out.begin(), out.end(), is_likelier);
      out.back() = candidate;
    } else {
      out.push_back(candidate);
    }
    if (heaps) std::push_heap(out.begin(), out.end(), is_likelier);
  }
  if (out.size() > count) {
    const auto middle = out.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(out.begin(), middle, out.end(), is_likelier);
    out.resize(count);
  }
  std::sort(out.begin(), out.end(), is_likelier);
}

}  // namespace backplane::local

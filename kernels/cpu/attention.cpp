// SPDX-License-Identifier: Apache-2.0
// Streams over the cache in blocks of positions, keeping a running maximum and sum, so that the
// scores of a long context never need memory of their own.
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr std::size_t kBlockPositions = 64;

HWY_INLINE float dot(const float* a, const float* b, std::size_t size) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto sums = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    sums = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sums);
  }
  float sum = i > 0 ? hn::GetLane(hn::SumOfLanes(d, sums)) : 0.0f;
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

// out = out * keep + sum over p of weights[p] * values[p].
HWY_INLINE void add_values(const float* weights, const float* values, std::size_t positions,
                           std::size_t stride, float keep, std::size_t size, float* out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    auto sums = hn::Mul(hn::LoadU(d, out + i), hn::Set(d, keep));
    for (std::size_t p = 0; p < positions; ++p) {
      sums = hn::MulAdd(hn::Set(d, weights[p]), hn::LoadU(d, values + p * stride + i), sums);
    }
    hn::StoreU(sums, d, out + i);
  }
  for (; i < size; ++i) {
    float sum = out[i] * keep;
    for (std::size_t p = 0; p < positions; ++p) sum += weights[p] * values[p * stride + i];
    out[i] = sum;
  }
}

void attend_head(const float* query, const AttentionSpan& span, std::size_t head_size,
                 std::size_t stride, float* out) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size));
  float highest = -std::numeric_limits<float>::infinity();
  float sum = 0;
  std::fill_n(out, head_size, 0.0f);
  for (std::size_t first = 0; first < span.length; first += kBlockPositions) {
    const std::size_t positions = std::min(kBlockPositions, span.length - first);
    float weights[kBlockPositions];
    float block_highest = highest;
    for (std::size_t p = 0; p < positions; ++p) {
      weights[p] = dot(query, span.keys + (first + p) * stride, head_size) * scale;
      block_highest = std::max(block_highest, weights[p]);
    }
    const float keep = std::exp(highest - block_highest);
    highest = block_highest;
    sum *= keep;
    for (std::size_t p = 0; p < positions; ++p) {
      weights[p] = std::exp(weights[p] - highest);
      sum += weights[p];
    }
    add_values(weights, span.values + first * stride, positions, stride, keep, head_size, out);
  }
  for (std::size_t i = 0; i < head_size; ++i) out[i] /= sum;
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(attend_head);

void attention(ThreadPool& pool, ConstMatrix queries, std::span<const AttentionSpan> spans,
               const HeadShape& shape, Matrix out) {
  assert(spans.size() == queries.rows && out.rows == queries.rows);
  assert(queries.columns == shape.heads * shape.head_size && out.columns == queries.columns);
  assert(shape.heads % shape.kv_heads == 0);
  const std::size_t group = shape.heads / shape.kv_heads;
  const std::size_t stride = shape.kv_heads * shape.head_size;
  std::size_t positions = 1;
  for (const AttentionSpan& span : spans) positions = std::max(positions, span.length);
  constexpr std::size_t kChunkProducts = 32768;
  const std::size_t heads = kChunkProducts / (positions * shape.head_size) + 1;
  const auto attend = HWY_DYNAMIC_DISPATCH(attend_head);
  pool.for_each_chunk(spans.size() * shape.heads, heads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t token = i / shape.heads;
      const std::size_t offset = i % shape.heads * shape.head_size;
      const std::size_t kv_offset = i % shape.heads / group * shape.head_size;
      AttentionSpan span = spans[token];
      assert(span.length > 0);
      span.keys += kv_offset;
      span.values += kv_offset;
      attend(queries.row(token) + offset, span, shape.head_size, stride, out.row(token) + offset);
    }
  });
}

}  // namespace backplane::kernels::cpu
#endif

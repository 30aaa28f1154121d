// SPDX-License-Identifier: Apache-2.0
// Streams over the cache in blocks of positions, keeping a running maximum and sum, so that the
// scores of a long context never need memory of their own.
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h: its functions are per target.
#include <hwy/contrib/math/math-inl.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>

#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr std::size_t kBlockPages = 4;
inline constexpr std::size_t kBlockPositions = kBlockPages * kPagePositions;

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

// The pages that hold one block of positions, at one head. Those before `begin` are not looked at.
struct Block {
  const float* pages[kBlockPages];
  std::size_t begin;
  std::size_t positions;
};

HWY_INLINE Block block_at(const PagedRows& rows, std::size_t offset, const AttentionSpan& span,
                          std::size_t first) {
  Block block;
  block.begin = span.first > first ? span.first - first : 0;
  block.positions = std::min(kBlockPositions, span.length - first);
  const std::uint32_t* const pages = span.pages + first / kPagePositions;
  for (std::size_t p = 0; p * kPagePositions < block.positions; ++p) {
    block.pages[p] = rows.data + pages[p] * rows.page_stride + offset;
  }
  return block;
}

HWY_INLINE const float* row_of(const Block& block, std::size_t position, std::size_t size) {
  return block.pages[position / kPagePositions] + position % kPagePositions * size;
}

// out = out * keep + sum over p of weights[p] * values[p], for V vectors side by side: as many
// additions as wait for each other can then run at once.
template <std::size_t V>
HWY_INLINE void add_vectors(const float* weights, const Block& values, float keep, std::size_t size,
                            std::size_t i, float* out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sums[V];
  for (std::size_t v = 0; v < V; ++v) {
    sums[v] = hn::Mul(hn::LoadU(d, out + i + v * lanes), hn::Set(d, keep));
  }
  for (std::size_t p = values.begin; p < values.positions; ++p) {
    const float* row = row_of(values, p, size) + i;
    for (std::size_t v = 0; v < V; ++v) {
      sums[v] = hn::MulAdd(hn::Set(d, weights[p]), hn::LoadU(d, row + v * lanes), sums[v]);
    }
  }
  for (std::size_t v = 0; v < V; ++v) hn::StoreU(sums[v], d, out + i + v * lanes);
}

HWY_INLINE void add_values(const float* weights, const Block& values, float keep, std::size_t size,
                           float* out) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  std::size_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    add_vectors<4>(weights, values, keep, size, i, out);
  }
  for (; i + lanes <= size; i += lanes) add_vectors<1>(weights, values, keep, size, i, out);
  for (; i < size; ++i) {
    float sum = out[i] * keep;
    for (std::size_t p = values.begin; p < values.positions; ++p) {
      sum += weights[p] * row_of(values, p, size)[i];
    }
    out[i] = sum;
  }
}

// The highest score of a head so far, and the sum of its weights below it.
struct Running {
  float highest = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

HWY_INLINE void cap_scores(float (&scores)[kBlockPositions], float cap) {
  const hn::ScalableTag<float> d;
  const auto high = hn::Set(d, cap);
  for (std::size_t i = 0; i < kBlockPositions; i += hn::Lanes(d)) {
    const auto score = hn::Div(hn::LoadU(d, scores + i), high);
    hn::StoreU(hn::Mul(high, hn::Tanh(d, score)), d, scores + i);
  }
}

// Scores become exp(score - highest), those outside the block 0; returns their sum.
HWY_INLINE float weigh(float (&scores)[kBlockPositions], const Block& block, float highest) {
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < kBlockPositions; i += hn::Lanes(d)) {
    const auto below = hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, highest));
    hn::StoreU(hn::Exp(d, below), d, scores + i);
  }
  std::fill_n(scores, block.begin, 0.0f);
  std::fill(scores + block.positions, std::end(scores), 0.0f);
  auto sums = hn::Zero(d);
  for (std::size_t i = 0; i < kBlockPositions; i += hn::Lanes(d)) {
    sums = hn::Add(sums, hn::LoadU(d, scores + i));
  }
  return hn::GetLane(hn::SumOfLanes(d, sums));
}

HWY_INLINE void attend_block(const float* query, const Block& keys, const Block& values,
                             const HeadShape& shape, Running& running, float* out) {
  const std::size_t size = shape.head_size;
  float weights[kBlockPositions] = {};
  for (std::size_t p = keys.begin; p < keys.positions; ++p) {
    weights[p] = dot(query, row_of(keys, p, size), size) * shape.score_scale;
  }
  if (shape.score_cap != 0) cap_scores(weights, shape.score_cap);
  float highest = running.highest;
  for (std::size_t p = keys.begin; p < keys.positions; ++p) highest = std::max(highest, weights[p]);
  const float keep = std::exp(running.highest - highest);
  running.highest = highest;
  running.sum = running.sum * keep + weigh(weights, keys, highest);
  add_values(weights, values, keep, size, out);
}

// Heads that share their keys and values go over them together, block by block.
void attend_heads(const float* query, const PagedRows& keys, const PagedRows& values,
                  std::size_t offset, const AttentionSpan& span, std::size_t heads,
                  const HeadShape& shape, float* out) {
  assert(heads <= kAttentionHeadsMax && span.first < span.length);
  const std::size_t size = shape.head_size;
  Running running[kAttentionHeadsMax];
  std::fill_n(out, heads * size, 0.0f);
  const std::size_t begin = span.first / kPagePositions * kPagePositions;
  for (std::size_t first = begin; first < span.length; first += kBlockPositions) {
    const Block block_keys = block_at(keys, offset, span, first);
    const Block block_values = block_at(values, offset, span, first);
    for (std::size_t head = 0; head < heads; ++head) {
      attend_block(query + head * size, block_keys, block_values, shape, running[head],
                   out + head * size);
    }
  }
  for (std::size_t i = 0; i < heads * size; ++i) out[i] /= running[i / size].sum;
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(attend_heads);

void store(ConstMatrix rows, std::size_t head_size, std::span<const PageSlot> slots,
           const PagedRows& cache) {
  assert(slots.size() == rows.rows && rows.columns % head_size == 0);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    assert(slots[i].slot < kPagePositions);
    float* const page = cache.data + slots[i].page * cache.page_stride;
    for (std::size_t head = 0; head * head_size < rows.columns; ++head) {
      std::copy_n(rows.row(i) + head * head_size, head_size,
                  page + (head * kPagePositions + slots[i].slot) * head_size);
    }
  }
}

void attention(ThreadPool& pool, ConstMatrix queries, const PagedRows& keys,
               const PagedRows& values, std::span<const AttentionSpan> spans,
               const HeadShape& shape, Matrix out) {
  assert(spans.size() == queries.rows && out.rows == queries.rows);
  assert(queries.columns == shape.heads * shape.head_size && out.columns == queries.columns);
  assert(shape.heads % shape.kv_heads == 0);
  const std::size_t group = shape.heads / shape.kv_heads;
  std::size_t together = std::min(group, kAttentionHeadsMax);
  while (together > 1 && spans.size() * shape.heads < 4 * pool.threads() * together) together /= 2;
  const std::size_t parts = (group + together - 1) / together;
  std::size_t positions = 1;
  for (const AttentionSpan& span : spans) {
    positions = std::max(positions, span.length - span.first);
  }
  HeadShape scaled = shape;
  if (shape.score_scale == 0) {
    scaled.score_scale = 1.0f / std::sqrt(static_cast<float>(shape.head_size));
  }
  constexpr std::size_t kChunkProducts = 32768;
  const std::size_t chunk = kChunkProducts / (positions * shape.head_size * together) + 1;
  const auto attend = HWY_DYNAMIC_DISPATCH(attend_heads);
  const std::size_t items = spans.size() * shape.kv_heads * parts;
  pool.for_each_chunk(items, chunk, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t token = i / parts / shape.kv_heads;
      const std::size_t kv_head = i / parts % shape.kv_heads;
      const std::size_t head = i % parts * together;
      const std::size_t offset = (kv_head * group + head) * shape.head_size;
      attend(queries.row(token) + offset, keys, values, kv_head * kPagePositions * shape.head_size,
             spans[token], std::min(together, group - head), scaled, out.row(token) + offset);
    }
  });
}

}  // namespace backplane::kernels::cpu
#endif

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
#include <limits>

#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr std::size_t kBlockPages = 4;
inline constexpr std::size_t kBlockPositions = kBlockPages * kPagePositions;

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

// scores[p] = the product of the query and the key at p, for kPages pages beginning with `first`.
// A page holds float i of all its keys side by side; two sums for each keep the processor busy.
template <std::size_t kPages>
HWY_INLINE void score_pages(const float* query, const Block& keys, std::size_t first,
                            std::size_t size, float* scores) {
  const hn::CappedTag<float, kPagePositions> d;
  using Vector = hn::Vec<decltype(d)>;
  for (std::size_t slot = 0; slot < kPagePositions; slot += hn::Lanes(d)) {
    Vector even[kPages], odd[kPages];
    for (std::size_t p = 0; p < kPages; ++p) even[p] = odd[p] = hn::Zero(d);
    std::size_t i = 0;
    for (; i + 2 <= size; i += 2) {
      const Vector one = hn::Set(d, query[i]);
      const Vector other = hn::Set(d, query[i + 1]);
      for (std::size_t p = 0; p < kPages; ++p) {
        const float* const column = keys.pages[first + p] + i * kPagePositions + slot;
        even[p] = hn::MulAdd(one, hn::LoadU(d, column), even[p]);
        odd[p] = hn::MulAdd(other, hn::LoadU(d, column + kPagePositions), odd[p]);
      }
    }
    for (std::size_t p = 0; p < kPages; ++p) {
      if (i < size) {
        const float* const column = keys.pages[first + p] + i * kPagePositions + slot;
        even[p] = hn::MulAdd(hn::Set(d, query[i]), hn::LoadU(d, column), even[p]);
      }
      hn::StoreU(hn::Add(even[p], odd[p]), d, scores + p * kPagePositions + slot);
    }
  }
}

// Slots outside the span hold anything: their scores are such that they weigh nothing.
HWY_INLINE void score(const float* query, const Block& keys, const HeadShape& shape,
                      float (&scores)[kBlockPositions]) {
  const std::size_t size = shape.head_size;
  const std::size_t pages = (keys.positions + kPagePositions - 1) / kPagePositions;
  if (pages == kBlockPages) {
    score_pages<kBlockPages>(query, keys, 0, size, scores);
  } else {
    for (std::size_t p = 0; p < pages; ++p) {
      score_pages<1>(query, keys, p, size, scores + p * kPagePositions);
    }
  }
  const hn::CappedTag<float, kBlockPositions> d;
  for (std::size_t i = 0; i < kBlockPositions; i += hn::Lanes(d)) {
    auto scaled = hn::Mul(hn::LoadU(d, scores + i), hn::Set(d, shape.score_scale));
    if (shape.score_cap != 0) {
      const auto cap = hn::Set(d, shape.score_cap);
      scaled = hn::Mul(cap, hn::Tanh(d, hn::Div(scaled, cap)));
    }
    hn::StoreU(scaled, d, scores + i);
  }
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  std::fill(scores, scores + keys.begin, kNothing);
  std::fill(scores + keys.positions, scores + kBlockPositions, kNothing);
}

// out = out * keep + sum over p of weights[p] * values[p], for kVectors vectors of floats at `i`.
template <std::size_t kVectors, class Tag>
HWY_INLINE void add_columns(Tag d, const float* weights, const Block& values, float keep,
                            std::size_t size, std::size_t i, float* out) {
  hn::Vec<Tag> sums[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    sums[v] = hn::Mul(hn::LoadU(d, out + i + v * hn::Lanes(d)), hn::Set(d, keep));
  }
  for (std::size_t p = values.begin; p < values.positions; ++p) {
    const float* const row = values.pages[p / kPagePositions] + p % kPagePositions * size + i;
    const auto weight = hn::Set(d, weights[p]);
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[v] = hn::MulAdd(weight, hn::LoadU(d, row + v * hn::Lanes(d)), sums[v]);
    }
  }
  for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], d, out + i + v * hn::Lanes(d));
}

HWY_INLINE void add_values(const float* weights, const Block& values, float keep, std::size_t size,
                           float* out) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    add_columns<4>(d, weights, values, keep, size, i, out);
  }
  for (; i + lanes <= size; i += lanes) add_columns<1>(d, weights, values, keep, size, i, out);
  for (; i < size; ++i) add_columns<1>(one, weights, values, keep, size, i, out);
}

// The highest score of a head so far, and the sum of its weights below it.
struct Running {
  float highest = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

// Makes weights of scores; returns what those before them now count.
HWY_INLINE float weigh(float (&scores)[kBlockPositions], Running& running) {
  const hn::CappedTag<float, kBlockPositions> d;
  auto most = hn::LoadU(d, scores);
  for (std::size_t i = hn::Lanes(d); i < kBlockPositions; i += hn::Lanes(d)) {
    most = hn::Max(most, hn::LoadU(d, scores + i));
  }
  const float highest = std::max(running.highest, hn::GetLane(hn::MaxOfLanes(d, most)));
  auto sums = hn::Zero(d);
  for (std::size_t i = 0; i < kBlockPositions; i += hn::Lanes(d)) {
    const auto weight = hn::Exp(d, hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, highest)));
    sums = hn::Add(sums, weight);
    hn::StoreU(weight, d, scores + i);
  }
  const float keep = std::exp(running.highest - highest);
  running.highest = highest;
  running.sum = running.sum * keep + hn::GetLane(hn::SumOfLanes(d, sums));
  return keep;
}

HWY_INLINE void attend_block(const float* query, const Block& keys, const Block& values,
                             const HeadShape& shape, Running& running, float* out) {
  float weights[kBlockPositions] = {};
  score(query, keys, shape, weights);
  const float keep = weigh(weights, running);
  add_values(weights, values, keep, shape.head_size, out);
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

// Keys lie with float i of a whole page side by side, values with each row in one piece.
void store(ConstMatrix keys, ConstMatrix values, std::size_t head_size,
           std::span<const PageSlot> slots, const PagedRows& cached_keys,
           const PagedRows& cached_values) {
  assert(slots.size() == keys.rows && slots.size() == values.rows);
  assert(keys.columns == values.columns && keys.columns % head_size == 0);
  for (std::size_t row = 0; row < slots.size(); ++row) {
    const auto [page, slot] = slots[row];
    assert(slot < kPagePositions);
    float* const key = cached_keys.data + page * cached_keys.page_stride + slot;
    for (std::size_t i = 0; i < keys.columns; ++i) key[i * kPagePositions] = keys.row(row)[i];
    float* const value = cached_values.data + page * cached_values.page_stride;
    for (std::size_t at = 0; at < values.columns; at += head_size) {
      std::copy_n(values.row(row) + at, head_size, value + at * kPagePositions + slot * head_size);
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
  // Tokens of one sequence come one after the other: what they share is at hand.
  const std::size_t items = spans.size() * shape.kv_heads * parts;
  pool.for_each_chunk(items, chunk, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t kv_head = i / parts / spans.size();
      const std::size_t token = i / parts % spans.size();
      const std::size_t head = i % parts * together;
      const std::size_t offset = (kv_head * group + head) * shape.head_size;
      attend(queries.row(token) + offset, keys, values, kv_head * kPagePositions * shape.head_size,
             spans[token], std::min(together, group - head), scaled, out.row(token) + offset);
    }
  });
}

}  // namespace backplane::kernels::cpu
#endif

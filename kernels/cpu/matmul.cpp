// SPDX-License-Identifier: Apache-2.0
// A tile is R weight rows by T tokens: each weight is loaded once per T tokens.
// Every output element has one vector accumulator walked from column 0 up, whatever the tile, so
// tiling never changes a result.
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/matmul.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/operators.hpp"
#include "kernels/float16.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

inline constexpr std::size_t kRowsPerTile = 4;
inline constexpr std::size_t kTokensPerTile = 4;

// Loads Lanes(Tag()) weights of one row, or one, as float.
struct F32Row {
  const std::byte* data;
  Vector load(std::size_t i) const {
    return hn::LoadU(Tag(), reinterpret_cast<const float*>(data) + i);
  }
  float at(std::size_t i) const {
    float value = 0;
    std::memcpy(&value, data + 4 * i, sizeof(value));
    return value;
  }
};

struct F16Row {
  const std::byte* data;
  Vector load(std::size_t i) const {
    const hn::Rebind<hwy::float16_t, Tag> half;
    return hn::PromoteTo(Tag(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(data) + i));
  }
  float at(std::size_t i) const {
    std::uint16_t bits = 0;
    std::memcpy(&bits, data + 2 * i, sizeof(bits));
    return float_from_half(bits);
  }
};

struct BF16Row {
  const std::byte* data;
  Vector load(std::size_t i) const {
    const hn::Rebind<std::uint16_t, Tag> halves;
    const hn::Rebind<std::uint32_t, Tag> words;
    const auto bits = hn::LoadU(halves, reinterpret_cast<const std::uint16_t*>(data) + i);
    return hn::BitCast(Tag(), hn::ShiftLeft<16>(hn::PromoteTo(words, bits)));
  }
  float at(std::size_t i) const {
    std::uint16_t bits = 0;
    std::memcpy(&bits, data + 2 * i, sizeof(bits));
    return float_from_bfloat(bits);
  }
};

template <class Row, std::size_t R, std::size_t T>
HWY_INLINE void step(const Row* rows, const float* x, std::size_t stride, std::size_t i,
                     Vector (&sums)[R][T]) {
  Vector inputs[T];
  for (std::size_t t = 0; t < T; ++t) inputs[t] = hn::LoadU(Tag(), x + t * stride + i);
  for (std::size_t r = 0; r < R; ++r) {
    const Vector weights = rows[r].load(i);
    for (std::size_t t = 0; t < T; ++t) sums[r][t] = hn::MulAdd(weights, inputs[t], sums[r][t]);
  }
}

template <class Row, std::size_t R, std::size_t T>
HWY_INLINE void tile(const Weights& weights, ConstMatrix x, Matrix out, std::size_t row,
                     std::size_t token) {
  const std::size_t n = weights.columns;
  const std::size_t bytes = row_bytes(weights.type, n);
  Row rows[R];
  Vector sums[R][T];
  for (std::size_t r = 0; r < R; ++r) {
    rows[r].data = weights.data + (row + r) * bytes;
    for (std::size_t t = 0; t < T; ++t) sums[r][t] = hn::Zero(Tag());
  }
  const float* inputs = x.row(token);
  const std::size_t lanes = hn::Lanes(Tag());
  std::size_t tail = 0;
  for (; tail + lanes <= n; tail += lanes) step<Row, R, T>(rows, inputs, n, tail, sums);
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t t = 0; t < T; ++t) {
      float sum = hn::GetLane(hn::SumOfLanes(Tag(), sums[r][t]));
      for (std::size_t i = tail; i < n; ++i) sum += rows[r].at(i) * inputs[t * n + i];
      out.row(token + t)[row + r] = sum;
    }
  }
}

template <class Row, std::size_t R>
void tile_tokens(const Weights& weights, ConstMatrix x, Matrix out, std::size_t row) {
  std::size_t token = 0;
  for (; token + kTokensPerTile <= x.rows; token += kTokensPerTile) {
    tile<Row, R, kTokensPerTile>(weights, x, out, row, token);
  }
  switch (x.rows - token) {
    case 1:
      return tile<Row, R, 1>(weights, x, out, row, token);
    case 2:
      return tile<Row, R, 2>(weights, x, out, row, token);
    case 3:
      return tile<Row, R, 3>(weights, x, out, row, token);
    default:
      return;
  }
}

template <class Row>
void tile_rows(const Weights& weights, ConstMatrix x, Matrix out, std::size_t begin,
               std::size_t end) {
  std::size_t row = begin;
  for (; row + kRowsPerTile <= end; row += kRowsPerTile) {
    tile_tokens<Row, kRowsPerTile>(weights, x, out, row);
  }
  for (; row < end; ++row) tile_tokens<Row, 1>(weights, x, out, row);
}

void matmul_rows(const Weights& weights, ConstMatrix x, Matrix out, std::size_t begin,
                 std::size_t end) {
  switch (weights.type) {
    case Type::kF32:
      return tile_rows<F32Row>(weights, x, out, begin, end);
    case Type::kF16:
      return tile_rows<F16Row>(weights, x, out, begin, end);
    case Type::kBF16:
      return tile_rows<BF16Row>(weights, x, out, begin, end);
    default:
      assert(false);
  }
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(matmul_rows);

void matmul(ThreadPool& pool, const Weights& weights, ConstMatrix x, Matrix out) {
  // Waking a thread costs about as much as this many multiplications.
  constexpr std::size_t kChunkProducts = 65536;
  const std::size_t row_products = weights.columns * x.rows + 1;
  const std::size_t rows = std::max<std::size_t>(kChunkProducts / row_products, 1);
  const auto body = HWY_DYNAMIC_DISPATCH(matmul_rows);
  pool.for_each_chunk(weights.rows, (rows + 3) / 4 * 4, [&](std::size_t begin, std::size_t end) {
    body(weights, x, out, begin, end);
  });
}

const char* instruction_set() {
  return hwy::TargetName(hwy::SupportedTargets() & ~(hwy::SupportedTargets() - 1));
}

}  // namespace backplane::kernels::cpu
#endif

// SPDX-License-Identifier: Apache-2.0
// Integer dot products of panels of rows with tiles of tokens. An output element is summed group
// by group from column 0 up, each group exactly, by multiplications and additions that every
// instruction set rounds alike: tiles, threads and processors never change a result.
#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/matmul_quantized.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h: compiled once per target.
#include "kernels/cpu/panel-inl.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
using Ints = hn::RebindToSigned<Words>;
using Int = hn::Vec<Ints>;

// Each lane: sum + the dot product of its row's 4 unsigned bytes with the 4 signed bytes at x.
struct PortableDot {
  static HWY_INLINE Int add(Int sum, Word weights, const std::int8_t* x) {
    const Ints d;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
    const hn::Repartition<std::int16_t, Ints> d16;
    const hn::Repartition<std::uint16_t, Ints> u16;
    std::int32_t four = 0;
    std::memcpy(&four, x, sizeof(four));
    const auto inputs = hn::BitCast(d16, hn::Set(d, four));
    const auto even_inputs = hn::ShiftRight<8>(hn::ShiftLeft<8>(inputs));
    const auto pairs = hn::BitCast(u16, weights);
    const auto even = hn::BitCast(d16, hn::And(pairs, hn::Set(u16, 255)));
    const auto odd = hn::BitCast(d16, hn::ShiftRight<8>(pairs));
    Int none = hn::Zero(d);
    sum = hn::ReorderWidenMulAccumulate(d, even, even_inputs, sum, none);
    return hn::ReorderWidenMulAccumulate(d, odd, hn::ShiftRight<8>(inputs), sum, none);
#else
    for (int i = 0; i < 4; ++i) {
      const Word byte = hn::And(hn::ShiftRightSame(weights, 8 * i), hn::Set(Words(), 255u));
      sum = hn::Add(sum, hn::Mul(hn::BitCast(d, byte), hn::Set(d, x[i])));
    }
    return sum;
#endif
  }
};

#if HWY_TARGET == HWY_AVX3
// By hand: Highway's targets do not tell VNNI from plain AVX-512.
struct VnniDot {
  static HWY_INLINE Int add(Int sum, Word weights, const std::int8_t* x) {
    using Four = const std::int8_t[4];
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(sum.raw)
        : "v"(weights.raw), "m"(*reinterpret_cast<Four*>(x)));
    return sum;
  }
};
#endif

// Where a tile's results go: token t's at first + t * stride, a panel's rows side by side.
struct Sums {
  float* first;
  std::size_t stride;
};

struct Columns {
  std::size_t begin;
  std::size_t end;
};

// What a tile reads of the activations.
struct Inputs {
  const std::int8_t* values;
  const float* scales;
  const std::int32_t* starts;
  const float* sums;
  std::size_t value_stride, scale_stride, group_stride;
};

template <class Format>
HWY_INLINE Inputs inputs_at(const QuantizedActivations& x, std::size_t token, std::size_t column) {
  const std::size_t blocks = x.columns / kActivationBlock;
  const std::size_t group = token * x.groups + column / Format::kGroup;
  return {x.values.data() + token * x.stride + column,
          x.scales.data() + token * blocks + column / kActivationBlock,
          x.starts.data() + group,
          x.sums.data() + group,
          x.stride,
          blocks,
          x.groups};
}

template <class Format, class Dot, std::size_t T>
HWY_INLINE void add_group(const Panel& panel, const Inputs& x, std::size_t g, Float (&totals)[T]) {
  constexpr std::size_t kSteps = Format::kGroup / 4;
  Int dots[T];
  for (std::size_t t = 0; t < T; ++t) dots[t] = hn::Set(Ints(), x.starts[t * x.group_stride + g]);
  for (std::size_t k = 0; k < kSteps; ++k) {
    const Word word = hn::Load(Words(), panel.values + (g * kSteps + k) * kLanes);
    for (std::size_t t = 0; t < T; ++t) {
      const std::int8_t* four = x.values + t * x.value_stride + g * Format::kGroup + 4 * k;
      dots[t] = Dot::add(dots[t], word, four);
    }
  }
  const Float scale = hn::Load(Floats(), panel.scales + g * kLanes);
  for (std::size_t t = 0; t < T; ++t) {
    const float own = x.scales[t * x.scale_stride + g * Format::kGroup / kActivationBlock];
    const Float factor = hn::Mul(scale, hn::Set(Floats(), own));
    totals[t] = hn::Add(totals[t], hn::Mul(hn::ConvertTo(Floats(), dots[t]), factor));
  }
  if constexpr (Format::kMinimum) {
    const Float minimum = hn::Load(Floats(), panel.minimums + g * kLanes);
    for (std::size_t t = 0; t < T; ++t) {
      const Float sum = hn::Set(Floats(), x.sums[t * x.group_stride + g]);
      totals[t] = hn::Add(totals[t], hn::Mul(minimum, sum));
    }
  }
}

// Adds the panel's columns to the sums of T tokens.
template <class Format, class Dot, std::size_t T>
HWY_INLINE void add_tile(const Panel& panel, Columns columns, const QuantizedActivations& x,
                         std::size_t token, const Sums& sums) {
  const Inputs inputs = inputs_at<Format>(x, token, columns.begin);
  Float totals[T];
  for (std::size_t t = 0; t < T; ++t) totals[t] = hn::LoadU(Floats(), sums.first + t * sums.stride);
  for (std::size_t g = 0; g < (columns.end - columns.begin) / Format::kGroup; ++g) {
    add_group<Format, Dot, T>(panel, inputs, g, totals);
  }
  for (std::size_t t = 0; t < T; ++t) hn::StoreU(totals[t], Floats(), sums.first + t * sums.stride);
}

template <class Format, class Dot, std::size_t T>
void add_tiles(const Panel& panel, Columns columns, const QuantizedActivations& x,
               std::size_t token, Sums sums) {
  for (; token + T <= x.rows; token += T, sums.first += T * sums.stride) {
    add_tile<Format, Dot, T>(panel, columns, x, token, sums);
  }
  if constexpr (T > 1) {
    if (token < x.rows) add_tiles<Format, Dot, T / 2>(panel, columns, x, token, sums);
  }
}

template <class Format>
void unpack(const Rows& rows, Columns columns, Panel& panel) {
  constexpr std::size_t kBytes = sizeof(typename Format::Block);
  const std::size_t first = columns.begin / Format::kBlock;
  for (std::size_t block = first; block < columns.end / Format::kBlock; ++block) {
    const std::size_t group = (block - first) * (Format::kBlock / Format::kGroup);
    Format::unpack(rows.at(block * kBytes), {panel, group});
  }
}

template <class Format, class Dot>
void multiply_panel(const Rows& rows, const QuantizedActivations& x, Panel& panel,
                    const Sums& sums) {
  // As many accumulators as fill the pipelines and fit the registers.
  constexpr std::size_t kTile = kLanes == 16 ? 8 : 4;
  for (std::size_t t = 0; t < x.rows; ++t) std::fill_n(sums.first + t * sums.stride, kLanes, 0.0f);
  for (std::size_t begin = 0; begin < x.columns; begin += kPanelColumns) {
    const Columns columns{begin, std::min(begin + kPanelColumns, x.columns)};
    unpack<Format>(rows, columns, panel);
    add_tiles<Format, Dot, kTile>(panel, columns, x, 0, sums);
  }
}

// The last rows of a matrix, when they do not fill a panel: in a panel of copies.
template <class Format, class Dot>
void multiply_last(const Rows& rows, std::size_t count, const QuantizedActivations& x, Panel& panel,
                   const Sums& sums) {
  std::vector<std::uint8_t> copies(kLanes * rows.stride);
  std::copy_n(rows.first, count * rows.stride, copies.begin());
  std::vector<float> results(x.rows * kLanes);
  multiply_panel<Format, Dot>({copies.data(), rows.stride}, x, panel, {results.data(), kLanes});
  for (std::size_t t = 0; t < x.rows; ++t) {
    std::copy_n(&results[t * kLanes], count, sums.first + t * sums.stride);
  }
}

template <class Format, class Dot>
void multiply_rows(const Weights& weights, const QuantizedActivations& x, Matrix out,
                   std::size_t begin, std::size_t end) {
  const std::size_t stride = row_bytes(weights.type, weights.columns);
  const auto* data = reinterpret_cast<const std::uint8_t*>(weights.data);
  Panel panel{};
  for (std::size_t row = begin; row < end; row += kLanes) {
    const Rows rows{data + row * stride, stride};
    const Sums sums{out.data + row, out.columns};
    if (row + kLanes <= end) {
      multiply_panel<Format, Dot>(rows, x, panel, sums);
    } else {
      multiply_last<Format, Dot>(rows, end - row, x, panel, sums);
    }
  }
}

template <class Format>
void multiply(const Weights& weights, const QuantizedActivations& x, Matrix out, std::size_t begin,
              std::size_t end) {
#if HWY_TARGET == HWY_AVX3
  if (__builtin_cpu_supports("avx512vnni")) {
    return multiply_rows<Format, VnniDot>(weights, x, out, begin, end);
  }
#endif
  multiply_rows<Format, PortableDot>(weights, x, out, begin, end);
}

void quantized_rows(const Weights& weights, const QuantizedActivations& x, Matrix out,
                    std::size_t begin, std::size_t end) {
  switch (weights.type) {
    case Type::kQ8_0:
      return multiply<Q8_0>(weights, x, out, begin, end);
    case Type::kQ4_0:
      return multiply<Nibbles<BlockQ4_0, false, false>>(weights, x, out, begin, end);
    case Type::kQ4_1:
      return multiply<Nibbles<BlockQ4_1, false, true>>(weights, x, out, begin, end);
    case Type::kQ5_0:
      return multiply<Nibbles<BlockQ5_0, true, false>>(weights, x, out, begin, end);
    case Type::kQ5_1:
      return multiply<Nibbles<BlockQ5_1, true, true>>(weights, x, out, begin, end);
    case Type::kQ4_K:
      return multiply<LargeNibbles<BlockQ4_K, false>>(weights, x, out, begin, end);
    case Type::kQ5_K:
      return multiply<LargeNibbles<BlockQ5_K, true>>(weights, x, out, begin, end);
    case Type::kQ6_K:
      return multiply<Q6_K>(weights, x, out, begin, end);
    case Type::kF32:
    case Type::kF16:
    case Type::kBF16:
      assert(false);
  }
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {
namespace {

GroupFormat group_format(Type type) {
  switch (type) {
    case Type::kQ8_0:
      return {32, 128, false};
    case Type::kQ4_0:
      return {32, 8, false};
    case Type::kQ5_0:
      return {32, 16, false};
    case Type::kQ6_K:
      return {16, 32, false};
    default:
      return {32, 0, true};
  }
}

}  // namespace

HWY_EXPORT(quantized_rows);

void matmul_quantized(ThreadPool& pool, const Weights& weights, ConstMatrix x, Matrix out,
                      QuantizedActivations& buffer) {
  quantize_activations(pool, x, group_format(weights.type), buffer);
  // Waking a thread costs about as much as this many multiplications.
  constexpr std::size_t kChunkProducts = 262144;
  constexpr std::size_t kPanelRowsMax = 16;
  const std::size_t panel_products = kPanelRowsMax * weights.columns * x.rows;
  const std::size_t panels = kChunkProducts / (panel_products + 1) + 1;
  const auto body = HWY_DYNAMIC_DISPATCH(quantized_rows);
  pool.for_each_chunk(
      weights.rows, panels * kPanelRowsMax,
      [&](std::size_t begin, std::size_t end) { body(weights, buffer, out, begin, end); });
}

}  // namespace backplane::kernels::cpu
#endif

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
#include <vector>

#include "kernels/cpu/operators.hpp"

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
using Ints = hn::RebindToSigned<Words>;
using Int = hn::Vec<Ints>;

// Each lane: sum + the dot product of its row's 4 unsigned bytes with the 4 signed bytes at x.
struct PortableDot {
  static HWY_INLINE Int add(Int sum, Word weights, const std::int8_t* x) {
    const Ints d;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
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

struct Columns {
  std::size_t begin;
  std::size_t end;
};

// What T tokens of a tile of L read of the activations, from the panel's first column on.
template <std::size_t L>
struct Inputs {
  const std::int8_t* values;
  const float* scales;
  const std::int32_t* starts;
  const float* sums;
};

template <class Format, std::size_t L>
HWY_INLINE Inputs<L> inputs_at(const QuantizedActivations& x, std::size_t tile, std::size_t token,
                               std::size_t column) {
  const std::size_t group = tile * x.groups + column / Format::kGroup * L + token;
  const std::size_t block = tile * (x.columns / kActivationBlock) + column / kActivationBlock * L;
  return {x.values.data() + tile * x.columns + column * L + 4 * token,
          x.scales.data() + block + token, x.starts.data() + group, x.sums.data() + group};
}

template <class Format, class Dot, std::size_t L, std::size_t T>
HWY_INLINE void add_group(const Panel& panel, const Inputs<L>& x, std::size_t g,
                          Float (&totals)[T]) {
  constexpr std::size_t kSteps = Format::kGroup / 4;
  Int dots[T];
  for (std::size_t t = 0; t < T; ++t) dots[t] = hn::Set(Ints(), x.starts[g * L + t]);
  for (std::size_t k = g * kSteps; k < (g + 1) * kSteps; ++k) {
    const Word word = hn::Load(Words(), panel.values + k * kLanes);
    for (std::size_t t = 0; t < T; ++t) {
      dots[t] = Dot::add(dots[t], word, x.values + 4 * (k * L + t));
    }
  }
  const Float scale = hn::Load(Floats(), panel.scales + g * kLanes);
  for (std::size_t t = 0; t < T; ++t) {
    const float own = x.scales[g * Format::kGroup / kActivationBlock * L + t];
    const Float factor = hn::Mul(scale, hn::Set(Floats(), own));
    totals[t] = hn::Add(totals[t], hn::Mul(hn::ConvertTo(Floats(), dots[t]), factor));
  }
  if constexpr (Format::kMinimum) {
    const Float minimum = hn::Load(Floats(), panel.minimums + g * kLanes);
    for (std::size_t t = 0; t < T; ++t) {
      const Float sum = hn::Set(Floats(), x.sums[g * L + t]);
      totals[t] = hn::Add(totals[t], hn::Mul(minimum, sum));
    }
  }
}

// Adds the panel's columns to the sums of the tile of L tokens from `tile` on: as many at once as
// fill the pipelines and fit the registers. The sums of a token lie side by side.
template <class Format, class Dot, std::size_t L>
void add_tile(const Panel& panel, Columns columns, const QuantizedActivations& x, std::size_t tile,
              float* sums) {
  constexpr std::size_t T = kLanes == 16 ? L : std::min<std::size_t>(L, 4);
  for (std::size_t token = 0; token < L; token += T) {
    const Inputs<L> inputs = inputs_at<Format, L>(x, tile, token, columns.begin);
    float* first = sums + (tile + token) * kLanes;
    Float totals[T];
    for (std::size_t t = 0; t < T; ++t) totals[t] = hn::LoadU(Floats(), first + t * kLanes);
    for (std::size_t g = 0; g < (columns.end - columns.begin) / Format::kGroup; ++g) {
      add_group<Format, Dot, L, T>(panel, inputs, g, totals);
    }
    for (std::size_t t = 0; t < T; ++t) hn::StoreU(totals[t], Floats(), first + t * kLanes);
  }
}

// What is unpacked next, fetched from memory piece by piece while the processor multiplies.
struct Ahead {
  Rows rows;
  std::size_t bytes;  // of each row
  HWY_INLINE void fetch(const TokenTile& tile, std::size_t tokens) const {
    const std::size_t lines = (bytes + 63) / 64 * kLanes;
    const std::size_t end = (tile.first + tile.size) * lines / tokens;
    for (std::size_t line = tile.first * lines / tokens; line < end; ++line) {
      __builtin_prefetch(rows.first + line % kLanes * rows.stride + line / kLanes * 64, 0, 2);
    }
  }
};

template <class Format>
Ahead ahead_of(const Rows& rows, Columns columns, std::size_t columns_all) {
  const std::size_t bytes = sizeof(typename Format::Block);
  const std::size_t next = columns.end / Format::kBlock * bytes;
  const std::size_t size = (columns.end - columns.begin) / Format::kBlock * bytes;
  return {rows.at(columns.end < columns_all ? next : kLanes * rows.stride), size};
}

template <class Format, class Dot>
void add_tiles(const Panel& panel, Columns columns, const QuantizedActivations& x,
               const Ahead& ahead, float* sums) {
  for (std::size_t token = 0; token < x.rows;) {
    const TokenTile tile = tile_of(token, x.rows);
    ahead.fetch(tile, x.rows);
    switch (tile.size) {
      case 8:
        add_tile<Format, Dot, 8>(panel, columns, x, token, sums);
        break;
      case 4:
        add_tile<Format, Dot, 4>(panel, columns, x, token, sums);
        break;
      case 2:
        add_tile<Format, Dot, 2>(panel, columns, x, token, sums);
        break;
      default:
        add_tile<Format, Dot, 1>(panel, columns, x, token, sums);
    }
    token += tile.size;
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
void multiply_panel(const Rows& rows, const QuantizedActivations& x, Panel& panel, float* sums) {
  std::fill_n(sums, x.rows * kLanes, 0.0f);
  // With few tokens what was unpacked shall still be in the first cache; with many it is read often
  // enough to come from the second.
  const std::size_t step = x.rows < kActivationTile ? kPanelColumns / 4 : kPanelColumns;
  for (std::size_t begin = 0; begin < x.columns; begin += step) {
    const Columns columns{begin, std::min(begin + step, x.columns)};
    unpack<Format>(rows, columns, panel);
    const Ahead ahead = ahead_of<Format>(rows, columns, x.columns);
    add_tiles<Format, Dot>(panel, columns, x, ahead, sums);
  }
}

template <class Format, class Dot>
void multiply_rows(const Weights& weights, const QuantizedActivations& x, Matrix out,
                   std::size_t begin, std::size_t end) {
  const std::size_t stride = row_bytes(weights.type, weights.columns);
  const auto* data = reinterpret_cast<const std::uint8_t*>(weights.data);
  Panel panel;  // some formats leave its minimums alone
  // Rows of `out` may be a power of two apart and push each other out of the caches.
  std::vector<float> sums(x.rows * kLanes);
  std::vector<std::uint8_t> copies;
  for (std::size_t row = begin; row < end; row += kLanes) {
    const std::size_t count = std::min(kLanes, end - row);
    Rows rows{data + row * stride, stride};
    if (count < kLanes) {
      copies.resize(kLanes * stride);
      std::copy_n(rows.first, count * stride, copies.begin());
      rows.first = copies.data();
    }
    multiply_panel<Format, Dot>(rows, x, panel, sums.data());
    for (std::size_t t = 0; t < x.rows; ++t) {
      std::copy_n(&sums[t * kLanes], count, out.row(t) + row);
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

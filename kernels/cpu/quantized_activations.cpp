// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/quantized_activations.hpp"

#include "kernels/cpu/simd.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quantized_activations.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>
#include <numeric>

HWY_BEFORE_NAMESPACE();
namespace backplane::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

HWY_INLINE float largest_of(const float* x) {
  const Floats d;
  auto largest = hn::Zero(d);
  for (std::size_t i = 0; i < kActivationBlock; i += hn::Lanes(d)) {
    largest = hn::Max(largest, hn::Abs(hn::LoadU(d, x + i)));
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

// Returns the scale. Blocks too small to divide by become zeros.
HWY_INLINE float quantize_block(const float* x, std::int8_t* values) {
  const Floats d;
  const hn::Rebind<std::int8_t, Floats> bytes;
  const float largest = largest_of(x);
  const bool is_zero = largest < 0x1p-100f;
  const auto inverse = hn::Set(d, is_zero ? 0.0f : 127.0f / largest);
  for (std::size_t i = 0; i < kActivationBlock; i += hn::Lanes(d)) {
    const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), inverse));
    hn::StoreU(hn::DemoteTo(bytes, rounded), bytes, values + i);
  }
  return is_zero ? 0.0f : largest / 127.0f;
}

void quantize_row(const float* x, const GroupFormat& format, std::size_t row,
                  QuantizedActivations& out) {
  const TokenTile tile = tile_of(row, out.rows);
  const std::size_t blocks = out.columns / kActivationBlock;
  const std::size_t groups_per_block = kActivationBlock / format.columns;
  const std::size_t own = row - tile.first;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::int8_t values[kActivationBlock];
    const float scale = quantize_block(x + block * kActivationBlock, values);
    out.scales[tile.first * blocks + block * tile.size + own] = scale;
    std::int8_t* fours =
        &out.values[tile.first * out.columns + block * kActivationBlock * tile.size];
    for (std::size_t i = 0; i < kActivationBlock; i += 4) {
      std::memcpy(fours + i * tile.size + 4 * own, values + i, 4);
    }
    for (std::size_t part = 0; part < groups_per_block; ++part) {
      const std::int8_t* first = values + part * format.columns;
      const std::int32_t sum = std::accumulate(first, first + format.columns, std::int32_t{0});
      const std::size_t group = block * groups_per_block + part;
      const std::size_t at = tile.first * out.groups + group * tile.size + own;
      out.starts[at] = -format.zero * sum;
      if (format.has_minimum) out.sums[at] = scale * static_cast<float>(sum);
    }
  }
}

}  // namespace backplane::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backplane::kernels::cpu {

HWY_EXPORT(quantize_row);

void quantize_activations(ThreadPool& pool, ConstMatrix x, const GroupFormat& format,
                          QuantizedActivations& out) {
  assert(x.columns % kActivationBlock == 0 && x.columns % format.columns == 0);
  out.rows = x.rows;
  out.columns = x.columns;
  out.groups = x.columns / format.columns;
  out.values.resize(x.rows * x.columns);
  out.scales.resize(x.rows * x.columns / kActivationBlock);
  out.starts.resize(x.rows * out.groups);
  if (format.has_minimum) out.sums.resize(x.rows * out.groups);
  // Waking a thread costs about as much as this many roundings.
  constexpr std::size_t kChunkElements = 65536;
  const auto quantize = HWY_DYNAMIC_DISPATCH(quantize_row);
  pool.for_each_chunk(x.rows, kChunkElements / (x.columns + 1) + 1,
                      [&](std::size_t begin, std::size_t end) {
                        for (std::size_t row = begin; row < end; ++row) {
                          quantize(x.row(row), format, row, out);
                        }
                      });
}

}  // namespace backplane::kernels::cpu
#endif

// SPDX-License-Identifier: Apache-2.0
// Activations as the integer kernels take them: signed bytes in blocks of 32 that share a scale.
// Rounding to 1/127 of the largest of a block is as fine as what the weights' formats do.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/tensor.hpp"

namespace backplane::kernels::cpu {

inline constexpr std::size_t kActivationBlock = 32;

// A stored weight stands for scale * (value - zero) + minimum, with a scale and a minimum for each
// group of `columns` in a row; value in [0, 255].
struct GroupFormat {
  std::size_t columns = kActivationBlock;  // 16 or 32
  std::int32_t zero = 0;
  bool has_minimum = false;
};

// Tokens that are multiplied together lie together: a tile of `size` tokens from `first` on.
struct TokenTile {
  std::size_t first = 0;
  std::size_t size = 0;
};

inline constexpr std::size_t kActivationTile = 8;

// Tiles are full while tokens last; the rest are tiles of 4, 2 and 1.
constexpr TokenTile tile_of(std::size_t token, std::size_t tokens) {
  std::size_t first = token / kActivationTile * kActivationTile;
  std::size_t size = kActivationTile;
  for (; first + size > tokens || token >= first + size; size /= 2) {
    if (first + size <= tokens) first += size;
  }
  return {first, size};
}

// One buffer of a device, filled anew for each matmul. A tile takes the place of its rows in each
// array, [first * row, (first + size) * row), and is ordered there by columns first, then tokens.
struct QuantizedActivations {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t groups = 0;            // columns / group
  std::vector<std::int8_t> values;   // rows * columns; four columns of a token, then of the next
  std::vector<float> scales;         // rows * columns / 32
  std::vector<std::int32_t> starts;  // rows * groups: -zero * the sum of the group's values
  std::vector<float> sums;           // rows * groups: scale * that sum; only with minimums
};

// x.columns is a multiple of 32. The same on every processor.
void quantize_activations(ThreadPool& pool, ConstMatrix x, const GroupFormat& format,
                          QuantizedActivations& out);

}  // namespace backplane::kernels::cpu

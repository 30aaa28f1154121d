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

// One buffer of a device, filled anew for each matmul.
struct QuantizedActivations {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t groups = 0;            // columns / group
  std::size_t stride = 0;            // bytes from a row's values to the next row's
  std::vector<std::int8_t> values;   // rows * stride
  std::vector<float> scales;         // rows * columns / 32
  std::vector<std::int32_t> starts;  // rows * groups: -zero * the sum of the group's values
  std::vector<float> sums;           // rows * groups: scale * that sum; only with minimums
};

// x.columns is a multiple of 32. The same on every processor.
void quantize_activations(ThreadPool& pool, ConstMatrix x, const GroupFormat& format,
                          QuantizedActivations& out);

}  // namespace backplane::kernels::cpu

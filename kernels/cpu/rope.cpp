// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/operators.hpp"

namespace backplane::kernels::cpu {

void rope(Matrix x, std::size_t head_size, RopePairs pairs, ConstMatrix turns) {
  assert(turns.rows == x.rows && turns.columns <= head_size && turns.columns % 2 == 0);
  assert(x.columns % head_size == 0);
  const std::size_t count = turns.columns / 2;
  const bool halves = pairs == RopePairs::kHalves;
  const std::size_t step = halves ? 1 : 2;
  const std::size_t apart = halves ? count : 1;
  for (std::size_t t = 0; t < x.rows; ++t) {
    const float* turn = turns.row(t);
    for (float* head = x.row(t); head != x.data + (t + 1) * x.columns; head += head_size) {
      for (std::size_t i = 0; i < count; ++i) {
        float& first = head[step * i];
        float& second = head[step * i + apart];
        const float before = first;
        first = before * turn[2 * i] - second * turn[2 * i + 1];
        second = before * turn[2 * i + 1] + second * turn[2 * i];
      }
    }
  }
}

}  // namespace backplane::kernels::cpu

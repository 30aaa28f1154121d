// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/operators.hpp"

namespace backplane::kernels::cpu {

void rope(Matrix x, std::size_t head_size, ConstMatrix turns) {
  assert(turns.rows == x.rows && turns.columns <= head_size && turns.columns % 2 == 0);
  assert(x.columns % head_size == 0);
  for (std::size_t t = 0; t < x.rows; ++t) {
    const float* turn = turns.row(t);
    for (float* head = x.row(t); head != x.data + (t + 1) * x.columns; head += head_size) {
      for (std::size_t i = 0; i < turns.columns; i += 2) {
        const float first = head[i];
        const float second = head[i + 1];
        head[i] = first * turn[i] - second * turn[i + 1];
        head[i + 1] = first * turn[i + 1] + second * turn[i];
      }
    }
  }
}

}  // namespace backplane::kernels::cpu

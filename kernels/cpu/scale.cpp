// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/operators.hpp"

namespace backplane::kernels::cpu {

void scale(Matrix x, float factor) {
  const std::size_t count = x.rows * x.columns;
  for (std::size_t i = 0; i < count; ++i) x.data[i] *= factor;
}

}  // namespace backplane::kernels::cpu

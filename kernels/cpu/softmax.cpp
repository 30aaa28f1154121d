// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/cpu/operators.hpp"

namespace backplane::kernels::cpu {

void softmax(Matrix x) {
  for (std::size_t t = 0; t < x.rows; ++t) {
    const std::span<float> row(x.row(t), x.columns);
    const float highest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (float& value : row) {
      value = std::exp(value - highest);
      sum += static_cast<double>(value);
    }
    const auto factor = static_cast<float>(1.0 / sum);
    for (float& value : row) value *= factor;
  }
}

}  // namespace backplane::kernels::cpu

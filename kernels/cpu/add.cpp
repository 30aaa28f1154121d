// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/operators.hpp"

namespace backplane::kernels::cpu {

void add(Matrix x, ConstMatrix y) {
  assert(x.rows == y.rows && x.columns == y.columns);
  const std::size_t count = x.rows * x.columns;
  for (std::size_t i = 0; i < count; ++i) x.data[i] += y.data[i];
}

void add_bias(Matrix x, const float* bias) {
  for (std::size_t t = 0; t < x.rows; ++t) {
    float* const row = x.row(t);
    for (std::size_t i = 0; i < x.columns; ++i) row[i] += bias[i];
  }
}

void add_rows(Matrix x, std::span<const std::uint32_t> rows, std::span<const float> factors,
              ConstMatrix y) {
  assert(rows.size() == y.rows && factors.size() == y.rows && x.columns == y.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    float* const to = x.row(rows[i]);
    const float* const from = y.row(i);
    for (std::size_t k = 0; k < x.columns; ++k) to[k] += factors[i] * from[k];
  }
}

}  // namespace backplane::kernels::cpu

// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/operators.hpp"
#include "kernels/dequantize.hpp"

namespace backplane::kernels::cpu {

void embed(const Weights& table, std::span<const std::int32_t> tokens, Matrix out) {
  assert(out.rows == tokens.size() && out.columns == table.columns);
  const std::size_t stride = row_bytes(table.type, table.columns);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto token = static_cast<std::size_t>(tokens[t]);
    assert(token < table.rows);
    dequantize_row(table.type, table.data + token * stride, {out.row(t), table.columns});
  }
}

}  // namespace backplane::kernels::cpu

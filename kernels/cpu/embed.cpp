// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "kernels/cpu/operators.hpp"
#include "kernels/float16.hpp"

namespace backplane::kernels::cpu {
namespace {

float half_at(const std::byte* data) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, data, sizeof(bits));
  return float_from_half(bits);
}

void dequantise_q8_0(const std::byte* row, std::size_t columns, float* out) {
  for (std::size_t first = 0; first < columns; first += kQ8_0BlockWeights) {
    const float scale = half_at(row);
    for (std::size_t i = 0; i < kQ8_0BlockWeights; ++i) {
      out[first + i] = scale * static_cast<float>(static_cast<std::int8_t>(row[2 + i]));
    }
    row += kQ8_0BlockBytes;
  }
}

}  // namespace

void embed(const Weights& table, std::span<const std::int32_t> tokens, Matrix out) {
  assert(out.rows == tokens.size() && out.columns == table.columns);
  const std::size_t stride = row_bytes(table.type, table.columns);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto token = static_cast<std::size_t>(tokens[t]);
    assert(token < table.rows);
    const std::byte* row = table.data + token * stride;
    float* to = out.row(t);
    switch (table.type) {
      case Type::kF32:
        std::memcpy(to, row, stride);
        break;
      case Type::kF16:
        for (std::size_t i = 0; i < table.columns; ++i) to[i] = half_at(row + 2 * i);
        break;
      case Type::kQ8_0:
        dequantise_q8_0(row, table.columns, to);
        break;
    }
  }
}

}  // namespace backplane::kernels::cpu

// SPDX-License-Identifier: Apache-2.0
// Views of tensors: where the numbers lie, of which type, in which shape. A view owns nothing;
// what it points to belongs to whoever allocated it and must outlive the call it is passed to.
// Matrices are row-major and dense. Pointers are the device's (see device.hpp).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace backplane::kernels {

enum class Type : std::uint8_t { kF32, kF16, kQ8_0 };

// Q8_0 stores blocks of 32 weights: one IEEE half-precision scale, then 32 signed bytes.
inline constexpr std::size_t kQ8_0BlockWeights = 32;
inline constexpr std::size_t kQ8_0BlockBytes = 2 + kQ8_0BlockWeights;

// Bytes of one row of `columns` weights. Q8_0 rows hold whole blocks only.
constexpr std::size_t row_bytes(Type type, std::size_t columns) {
  switch (type) {
    case Type::kF32:
      return columns * 4;
    case Type::kF16:
      return columns * 2;
    case Type::kQ8_0:
      break;
  }
  assert(columns % kQ8_0BlockWeights == 0);
  return columns / kQ8_0BlockWeights * kQ8_0BlockBytes;
}

// A weight matrix as it lies in a model file: rows = outputs, columns = inputs, little-endian.
// Data may be unaligned.
struct Weights {
  const std::byte* data = nullptr;
  Type type = Type::kF32;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

// Activations: always f32, one row per token.
struct ConstMatrix {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  const float* row(std::size_t index) const {
    assert(index < rows);
    return data + index * columns;
  }
};

struct Matrix {
  float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  float* row(std::size_t index) const {
    assert(index < rows);
    return data + index * columns;
  }
  operator ConstMatrix() const { return {data, rows, columns}; }  // NOLINT
};

}  // namespace backplane::kernels

// SPDX-License-Identifier: Apache-2.0
// Views of tensors: where the numbers lie, of which type, in which shape. A view owns nothing;
// what it points to belongs to whoever allocated it and must outlive the call it is passed to.
// Matrices are row-major and dense. Pointers are the device's (see device.hpp).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace backplane::kernels {

// How weights are stored: as numbers, or in the blocks of quantized_blocks.hpp.
enum class Type : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ8_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ4_K,
  kQ5_K,
  kQ6_K,
};
inline constexpr Type kTypes[] = {Type::kF32,  Type::kF16,  Type::kBF16, Type::kQ8_0,
                                  Type::kQ4_0, Type::kQ4_1, Type::kQ5_0, Type::kQ5_1,
                                  Type::kQ4_K, Type::kQ5_K, Type::kQ6_K};

// What is stored together: so many weights in so many bytes. A row holds whole blocks only.
struct TypeLayout {
  const char* name;
  std::size_t block_weights;
  std::size_t block_bytes;
};

constexpr TypeLayout layout_of(Type type) {
  switch (type) {
    case Type::kF32:
      return {"F32", 1, 4};
    case Type::kF16:
      return {"F16", 1, 2};
    case Type::kBF16:
      return {"BF16", 1, 2};
    case Type::kQ8_0:
      return {"Q8_0", 32, 34};
    case Type::kQ4_0:
      return {"Q4_0", 32, 18};
    case Type::kQ4_1:
      return {"Q4_1", 32, 20};
    case Type::kQ5_0:
      return {"Q5_0", 32, 22};
    case Type::kQ5_1:
      return {"Q5_1", 32, 24};
    case Type::kQ4_K:
      return {"Q4_K", 256, 144};
    case Type::kQ5_K:
      return {"Q5_K", 256, 176};
    case Type::kQ6_K:
      return {"Q6_K", 256, 210};
  }
  return {"", 1, 0};
}

// Bytes of one row of `columns` weights.
constexpr std::size_t row_bytes(Type type, std::size_t columns) {
  const TypeLayout layout = layout_of(type);
  assert(columns % layout.block_weights == 0);
  return columns / layout.block_weights * layout.block_bytes;
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

// SPDX-License-Identifier: Apache-2.0
// Floats as stored weights, the inverse of dequantize_row. Numbers of 16 bits are rounded to the
// nearest; the scales of blocks are searched for, so that the squares of what is lost sum up to
// little, large weights counting for more in the types _K. The same input gives the same bytes.
// Any thread.
#pragma once

#include <span>

#include "kernels/tensor.hpp"

namespace backplane::kernels {

// `row` has row_bytes(type, weights.size()) bytes; weights.size() is a multiple of the type's
// block. What is not finite is not kept.
void quantize_row(Type type, std::span<const float> weights, std::byte* row);

}  // namespace backplane::kernels

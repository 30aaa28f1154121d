// SPDX-License-Identifier: Apache-2.0
// Stored weights as floats: portable, one at a time, the meaning that every faster way of reading
// them is tested against. Any thread.
#pragma once

#include <span>

#include "kernels/tensor.hpp"

namespace backplane::kernels {

// Fills `out` from the row's first out.size() weights, a multiple of the type's block.
void dequantize_row(Type type, const std::byte* row, std::span<float> out);

}  // namespace backplane::kernels

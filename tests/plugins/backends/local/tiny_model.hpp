// SPDX-License-Identifier: Apache-2.0
// A complete model of a few kilobytes: random weights, a vocabulary of bytes and letters.
#pragma once

#include "tests/plugins/backends/local/gguf_writer.hpp"

namespace backplane::local {

inline constexpr std::uint32_t kTinyContext = 256;
inline constexpr int kTinyBos = 1;
inline constexpr int kTinyEos = 2;
inline constexpr int kTinyFirstByte = 3;

// `type`: ggml's number of the matrices' type: 0 F32, 1 F16, 8 Q8_0.
GgufWriter tiny_model(std::uint32_t type = 0, std::uint32_t seed = 1);

}  // namespace backplane::local

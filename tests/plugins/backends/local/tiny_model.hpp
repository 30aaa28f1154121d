// SPDX-License-Identifier: Apache-2.0
// Complete models of a few kilobytes: random weights, a vocabulary of bytes and letters.
#pragma once

#include <functional>

#include "tests/plugins/backends/local/gguf_writer.hpp"

namespace backplane::local {

inline constexpr std::uint32_t kTinyContext = 256;
inline constexpr int kTinyBos = 1;
inline constexpr int kTinyEos = 2;
inline constexpr int kTinyFirstByte = 3;
inline constexpr int kTinyVocabulary = 289;

struct TinyArchitecture {
  const char* name = "llama";
  std::uint32_t layers = 2;
  std::uint32_t embedding = 32;
  std::uint32_t feed_forward = 64;
  std::uint32_t heads = 4;
  std::uint32_t kv_heads = 2;
  std::uint32_t head_size = 8;
  bool has_output = false;     // or else the embeddings are the output matrix
  bool has_biases = false;     // of queries, keys and values
  bool norms_heads = false;    // queries and keys
  bool norms_outputs = false;  // of attention and feed-forward
  bool is_fused = false;       // one matrix for queries, keys and values, one for gate and up
  bool is_plain = false;       // all norms 0.5, large weights, any of F32, F16 and Q8_0
  std::function<void(GgufWriter&)> extra = {};
};

// `type`: ggml's number of the matrices' type: 0 F32, 1 F16, 30 BF16; they mean the same numbers.
GgufWriter tiny_model(const TinyArchitecture& shape, std::uint32_t type = 0,
                      std::uint32_t seed = 1);

// A Llama. `type`: 0 F32, 1 F16, 8 Q8_0.
GgufWriter tiny_model(std::uint32_t type = 0, std::uint32_t seed = 1);

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// The sizes and constants of a Llama model, read from a file's metadata and checked to be
// possible, so that nothing built from them can overflow.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

struct HyperParameters {
  std::size_t layers = 0;
  std::size_t embedding = 0;  // floats of one token's hidden state
  std::size_t feed_forward = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_size = 0;
  std::size_t rotary_size = 0;     // leading floats of a head that turn with the position
  std::size_t context_length = 0;  // tokens
  float norm_epsilon = 0;
  double rope_base = 0;
  double rope_scale = 1;  // positions are divided by this (linear scaling)

  std::size_t query_size() const { return heads * head_size; }
  std::size_t kv_size() const { return kv_heads * head_size; }
};

Result<HyperParameters> read_hyper_parameters(const ModelFile& file);

}  // namespace backplane::local

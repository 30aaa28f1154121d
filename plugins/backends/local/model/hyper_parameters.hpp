// SPDX-License-Identifier: Apache-2.0
// The sizes and constants of a model, read from a file's metadata and checked to be possible, so
// that nothing built from them can overflow.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/model/architecture.hpp"

namespace backplane::local {

struct HyperParameters {
  const Architecture* architecture = nullptr;
  std::size_t layers = 0;
  std::size_t embedding = 0;  // floats of one token's hidden state
  std::size_t feed_forward = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_size = 0;
  std::size_t rotary_size = 0;     // leading floats of a head that turn with the position
  std::size_t context_length = 0;  // tokens
  std::size_t window = 0;          // positions that a layer with a window sees; 0: no such layer
  std::vector<bool> has_window;    // of each layer
  float norm_epsilon = 0;
  float score_scale = 0;  // of queries times keys; 0: 1 / sqrt(head_size)
  float score_cap = 0;    // 0: none
  float logits_cap = 0;   // 0: none

  std::size_t query_size() const { return heads * head_size; }
  std::size_t kv_size() const { return kv_heads * head_size; }
};

Result<HyperParameters> read_hyper_parameters(const ModelFile& file);

// A positive number of the file, or else `fallback`.
Status read_positive(const ModelFile& file, const std::string& key, double fallback, double& out);

}  // namespace backplane::local

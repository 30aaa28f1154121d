// SPDX-License-Identifier: Apache-2.0
// What config.json of a Hugging Face model says, as GGUF's metadata and the tensors that GGUF has
// for it (the divisors of RoPE's frequencies).
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

// Models that are made alike.
struct HfFamily {
  std::string_view model_type;    // in config.json
  std::string_view architecture;  // in GGUF
  bool turns_pairs;               // GGUF has the rows of Q and K in the order of RoPE's pairs
  bool is_gemma;                  // its own norms, caps, windows and defaults
};

struct HfConfig {
  const HfFamily* family = nullptr;
  std::uint64_t heads = 0;
  std::uint64_t kv_heads = 0;
  bool ties_output = false;  // the output matrix is the embeddings
};

// Adds to `out` what the file says. Numbers are checked by those who use them.
Result<HfConfig> read_hf_config(const std::string& path, ModelFile& out);

}  // namespace backplane::local

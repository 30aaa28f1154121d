// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/architecture.hpp"

#include <algorithm>
#include <array>

namespace backplane::local {
namespace {

constexpr std::array<Architecture, 6> kArchitectures = {{
    {.name = "gemma2",
     .activation = Activation::kGelu,
     .scales_embeddings = true,
     .norms_outputs = true,
     .window_period = 2,
     .window = 4096,
     .share_scaled_layers = 46},
    {.name = "gemma3",
     .activation = Activation::kGelu,
     .scales_embeddings = true,
     .norms_heads = true,
     .norms_outputs = true,
     .window_period = 6,
     .window_rope_base = 10000,
     .scales_window_rope = false,
     .share_scaled_layers = 62},
    {.name = "llama", .pairs = kernels::RopePairs::kNeighbours, .window_period = 0},
    // Its files name a window that the model was not run with.
    {.name = "phi3"},
    {.name = "qwen2"},
    {.name = "qwen3", .norms_heads = true},
}};

}  // namespace

const Architecture* find_architecture(std::string_view name) {
  const auto* const found =
      std::find_if(kArchitectures.begin(), kArchitectures.end(),
                   [&](const Architecture& architecture) { return architecture.name == name; });
  return found == kArchitectures.end() ? nullptr : found;
}

std::string architecture_names() {
  std::string names;
  for (const Architecture& architecture : kArchitectures) {
    if (!names.empty()) names += ", ";
    names += architecture.name;
  }
  return names;
}

}  // namespace backplane::local

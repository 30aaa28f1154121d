// SPDX-License-Identifier: Apache-2.0
// What all models of one architecture have in common. Everything else is in a file's metadata, or
// seen from which tensors it has.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kernels/device.hpp"

namespace backplane::local {

enum class Activation : std::uint8_t { kSilu, kGelu };

struct Architecture {
  std::string_view name;  // general.architecture, and what its keys begin with
  kernels::RopePairs pairs = kernels::RopePairs::kHalves;
  Activation activation = Activation::kSilu;
  bool scales_embeddings = false;  // by the root of their size
  bool norms_heads = false;        // queries and keys, head by head, before they turn
  bool norms_outputs = false;      // of attention and feed-forward, before they are added
  // Of so many layers the last sees everything, the others a window. 1: all see everything,
  // 0: none does. Counts where the file has a window, or `window` says one.
  std::size_t window_period = 1;
  std::size_t window = 0;
  double window_rope_base = 0;  // where the file says none; 0: the one of the other layers
  bool scales_window_rope = true;
  // The size of which a head's share of the embedding, and not a head, scales the scores.
  std::size_t share_scaled_layers = 0;
};

// nullptr when it is not one of ours.
const Architecture* find_architecture(std::string_view name);
// "gemma2, gemma3, llama, ...", for messages.
std::string architecture_names();

}  // namespace backplane::local

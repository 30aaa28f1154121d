// SPDX-License-Identifier: Apache-2.0
// A low-rank adapter as its file has it, checked against the model that it is for: pairs of thin
// matrices under the names of the model's tensors. Read from a GGUF file (general.type "adapter",
// NAME.lora_a and NAME.lora_b) or from a folder that the peft library wrote (adapter_config.json
// and adapter_model.safetensors).
//
// The file is not trusted and may change or go once it was read: its matrices are copied. Errors
// name the file, the place and the remedy. Immutable; any thread.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/tensor.hpp"
#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

struct LoraMatrix {
  kernels::Type type = kernels::Type::kF32;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::byte> bytes;
};

// One tensor of the model and what is added to it: scale * up * down.
struct LoraTarget {
  std::string name;
  LoraMatrix down;  // rank rows; of token_embd.weight a row for each token
  LoraMatrix up;    // rank columns
  float scale = 1;
};

class LoraAdapter {
 public:
  // `base` is needed for the length of the call.
  static Result<std::shared_ptr<const LoraAdapter>> load(const std::string& path,
                                                         const ModelFile& base);
  LoraAdapter(std::string path, std::vector<LoraTarget> targets);

  // Of this loading of the file: another one has another, unique in the process and below 2^32.
  std::uint64_t id() const { return id_; }
  const std::string& path() const { return path_; }
  std::span<const LoraTarget> targets() const { return targets_; }

 private:
  std::uint64_t id_;
  std::string path_;
  std::vector<LoraTarget> targets_;
};

inline constexpr std::string_view kEmbeddingsName = "token_embd.weight";

}  // namespace backplane::local

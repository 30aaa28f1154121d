// SPDX-License-Identifier: Apache-2.0
// The tensors of a Hugging Face model as GGUF has them: its names, F32 for vectors, Gemma's norms
// with the one added that its library adds, Llama's Q and K with the rows of a RoPE pair together.
// What is the same stays where it is mapped; the rest is copied.
#pragma once

#include <backplane/result.hpp>
#include <string>

#include "plugins/backends/local/files/hf_config.hpp"
#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

class HfTensors {
 public:
  HfTensors(const HfConfig& config, TensorData data, ModelFile& out)
      : config_(config), data_(data), out_(out) {}
  // `tensor` as it stands in the file at `path`.
  Status add(const std::string& path, const FileTensor& tensor);

 private:
  // "" for tensors that are not needed, nullopt for unknown ones.
  std::optional<std::string> name(std::string_view hf_name) const;
  Status check(const std::string& path, const FileTensor& tensor) const;
  Status order_pairs(const std::string& path, std::uint64_t heads, FileTensor& tensor);
  void widen(bool is_norm, FileTensor& tensor);

  const HfConfig& config_;
  const TensorData data_;
  ModelFile& out_;
};

}  // namespace backplane::local

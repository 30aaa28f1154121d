// SPDX-License-Identifier: Apache-2.0
// Puts the halves of an adapter together, whatever file they come from, and checks them against
// the tensors of the model they are for.
#pragma once

#include <map>
#include <string>

#include "plugins/backends/local/adapters/lora_adapter.hpp"

namespace backplane::local {

class LoraBuilder {
 public:
  enum class Half { kDown, kUp };

  LoraBuilder(std::string path, const ModelFile& base) : path_(std::move(path)), base_(base) {}

  // `name`: of the model's tensor. `tensor` is copied, its own name is for messages.
  Status add(const std::string& name, Half half, const FileTensor& tensor);
  // `scale_of(rank)` for each pair.
  template <class Scale>
  Result<std::shared_ptr<const LoraAdapter>> finish(const Scale& scale_of) {
    if (auto status = check(); !status) return status.error();
    std::vector<LoraTarget> targets;
    for (auto& [name, pair] : pairs_) {
      const float scale = scale_of(pair.up.columns);
      targets.push_back({name, std::move(pair.down), std::move(pair.up), scale});
    }
    return std::make_shared<const LoraAdapter>(path_, std::move(targets));
  }
  Error error(const std::string& place, const std::string& what) const;

 private:
  struct Pair {
    LoraMatrix down, up;
  };
  Status check() const;
  Status check(const std::string& name, const Pair& pair) const;

  const std::string path_;
  const ModelFile& base_;
  std::map<std::string, Pair> pairs_;
};

Result<std::shared_ptr<const LoraAdapter>> load_gguf_adapter(const std::string& path,
                                                             const ModelFile& base);
Result<std::shared_ptr<const LoraAdapter>> load_peft_adapter(const std::string& path,
                                                             const ModelFile& base);

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// What a model needs to compute, and can do without while nobody asks: its file's tensors, the
// device, the network, and the memory of its cache.
#pragma once

#include <backplane/result.hpp>
#include <memory>

#include "kernels/device.hpp"
#include "plugins/backends/local/adapters/placed_adapters.hpp"
#include "plugins/backends/local/engine/engine_options.hpp"
#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

class Weights {
 public:
  // Opens the file anew; its model must know `vocabulary` tokens, as the tokenizer does. Errors
  // name the file, the place and the remedy. May take long; any thread.
  static Result<std::unique_ptr<Weights>> load(const EngineOptions& options, std::size_t pages,
                                               std::size_t vocabulary);

  const ModelFile& file() const { return file_; }
  Model& model() const { return *model_; }
  const KvPages& cache() const { return *cache_; }
  PlacedAdapters& adapters() const { return *adapters_; }

 private:
  explicit Weights(ModelFile file) : file_(std::move(file)) {}

  ModelFile file_;
  std::unique_ptr<kernels::Device> device_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<KvPages> cache_;
  std::unique_ptr<PlacedAdapters> adapters_;
};

}  // namespace backplane::local

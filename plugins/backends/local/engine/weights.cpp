// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/weights.hpp"

namespace backplane::local {

Result<std::unique_ptr<Weights>> Weights::load(const EngineOptions& options, std::size_t pages,
                                               std::size_t vocabulary) {
  auto file = ModelFile::open(options.model_path);
  if (!file) return file.error();
  std::unique_ptr<Weights> weights(new Weights(std::move(*file)));
  weights->device_ = kernels::make_cpu_device(options.threads);
  auto model = Model::load(weights->file_, *weights->device_, options.batch_tokens,
                           options.sequences_max, options.context_tokens);
  if (!model) return model.error();
  weights->model_ = std::move(*model);
  if (weights->model_->vocabulary() != vocabulary) {
    return weights->file_.wrong("tokenizer.ggml.tokens",
                                "has " + std::to_string(vocabulary) + " tokens, the model " +
                                    std::to_string(weights->model_->vocabulary()) +
                                    "; convert the model again");
  }
  if (options.allows_adapters) {
    if (auto status = weights->model_->allow_adaptations(); !status) return status.error();
  }
  weights->adapters_ = std::make_unique<PlacedAdapters>(*weights->device_, *weights->model_);
  auto cache = weights->model_->new_pages(pages);
  if (!cache) return cache.error();
  weights->cache_ = std::move(*cache);
  return weights;
}

}  // namespace backplane::local

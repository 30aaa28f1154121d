// SPDX-License-Identifier: Apache-2.0
// Makes a Model of a file: finds each tensor, checks it, and places it on the device. The first
// failure sticks. Used by Model::load only.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "plugins/backends/local/model/file_tensors.hpp"
#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

class ModelLoader {
 public:
  ModelLoader(const ModelFile& file, kernels::Device& device, HyperParameters parameters);
  Result<std::unique_ptr<Model>> load(std::size_t batch_tokens, std::size_t logits_rows,
                                      std::size_t context_tokens);

 private:
  using Projection = Model::Projection;

  void load_embeddings();
  void load_layer(std::size_t index);
  void load_attention(const std::string& prefix, Model::Layer& layer);
  void load_feed_forward(const std::string& prefix, Model::Layer& layer);
  void load_rope(std::size_t context_tokens);
  void check_all_used();
  void allocate(std::size_t batch_tokens, std::size_t logits_rows);

  void fail(Error error);
  const FileTensor* find(const std::string& name, const TensorShape& shape);
  kernels::Weights weights(const std::string& name, std::size_t columns, std::size_t rows);
  // Rows [first, first + count) of a matrix that has `rows`.
  kernels::Weights weights_of_rows(const std::string& name, std::size_t columns, std::size_t rows,
                                   std::size_t first, std::size_t count);
  const float* vector(const std::string& name, std::size_t size);
  const float* optional_vector(const std::string& name, std::size_t size);
  // `name` without ".weight", whose bias is taken when there is one.
  Projection projection(const std::string& name, std::size_t columns, std::size_t rows);
  // One after the other in a matrix of their own.
  void fused(const std::string& name, std::size_t columns,
             std::initializer_list<std::pair<Projection*, std::size_t>> parts);

  const ModelFile& file_;
  kernels::Device& device_;
  std::unique_ptr<Model> model_;
  const HyperParameters& sizes_;
  std::unordered_set<std::string> used_;
  bool failed_ = false;
  Error error_;
};

}  // namespace backplane::local

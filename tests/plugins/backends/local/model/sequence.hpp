// SPDX-License-Identifier: Apache-2.0
// One sequence through a model, a chunk at a time, with a cache of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

class Sequence {
 public:
  static constexpr std::size_t kChunkMax = 128;

  // The file outlives the sequence.
  explicit Sequence(const ModelFile& file, std::size_t context_tokens = 0)
      : device_(kernels::make_cpu_device(1)) {
    auto model = Model::load(file, *device_, kChunkMax, kChunkMax, context_tokens);
    if (!model) {
      ADD_FAILURE() << model.error().message;
      return;
    }
    model_ = std::move(*model);
  }
  explicit operator bool() const { return model_ != nullptr; }

  // The logits after each of the tokens.
  std::vector<std::vector<float>> logits(const std::vector<std::int32_t>& tokens,
                                         std::size_t chunk = kChunkMax) const {
    const std::size_t count = (tokens.size() + kPagePositions - 1) / kPagePositions;
    const auto cache = model_->new_pages(count);
    std::vector<PageId> pages;
    for (std::size_t i = 0; i < count; ++i) pages.push_back(static_cast<PageId>(count - 1 - i));
    std::vector<std::vector<float>> rows;
    for (std::size_t first = 0; first < tokens.size(); first += chunk) {
      std::vector<BatchEntry> batch;
      for (std::size_t i = first; i < std::min(first + chunk, tokens.size()); ++i) {
        batch.push_back({pages.data(), static_cast<std::uint32_t>(i), tokens[i], true});
      }
      const auto out = model_->forward(batch, **cache);
      for (std::size_t i = 0; i < out.rows; ++i) {
        rows.emplace_back(out.row(i), out.row(i) + out.columns);
      }
    }
    return rows;
  }

 private:
  std::unique_ptr<kernels::Device> device_;
  std::unique_ptr<Model> model_;
};

}  // namespace backplane::local

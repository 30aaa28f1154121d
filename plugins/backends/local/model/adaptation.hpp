// SPDX-License-Identifier: Apache-2.0
// What an adapter adds to a model: for some of its weight matrices a product of two thin ones. The
// model's own weights stay as they are, so that each row of a batch may have another adaptation.
// The matrices belong to whoever made it, on the model's device. Immutable while batches use it.
#pragma once

#include <cassert>
#include <cstddef>
#include <unordered_map>

#include "kernels/tensor.hpp"

namespace backplane::local {

inline constexpr std::size_t kAdaptationRankMax = 1024;

class Adaptation {
 public:
  // A row x gets scale * up * (down * x) more than the model's weights give it.
  struct Change {
    kernels::Weights down;  // rank rows; of the embeddings the transpose: a row for each token
    kernels::Weights up;    // rank columns
    float scale = 1;
  };

  // False when these weights have a change already.
  bool add(const kernels::Weights& weights, const Change& change) {
    assert(change.up.columns <= kAdaptationRankMax && change.up.rows == weights.rows);
    return changes_.emplace(weights.data, change).second;
  }
  // The embeddings are looked up, not multiplied, and may be the output's weights as well.
  void set_embeddings(const Change& change) { embeddings_ = change; }

  const Change* find(const kernels::Weights& weights) const {
    const auto found = changes_.find(weights.data);
    return found == changes_.end() ? nullptr : &found->second;
  }
  const Change* embeddings() const {
    return embeddings_.up.data == nullptr ? nullptr : &embeddings_;
  }

 private:
  std::unordered_map<const std::byte*, Change> changes_;
  Change embeddings_;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// One vector for a text, out of the states of its tokens.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

// The average of all states, that of the first token, or that of the last.
enum class Pooling { kMean, kCls, kLast };

// "mean", "cls" or "last".
std::optional<Pooling> pooling_of(std::string_view name);
// What the file's "<architecture>.pooling_type" says; nullopt where it does not. A model that
// ranks (its type is 4) is one whose answer is made of a single state.
struct FilePooling {
  std::optional<Pooling> pooling;
  bool is_given = false;  // the model was made for embeddings or for ranking
};
Result<FilePooling> pooling_of(const ModelFile& file);

// Takes the states in the order of their tokens; the same vector whatever steps they come in.
class Pooler {
 public:
  Pooler(Pooling pooling, std::size_t tokens) : pooling_(pooling), tokens_(tokens) {}

  bool wants(std::size_t position) const;
  void add(std::span<const float> state);
  // Forgets what was added.
  void restart() { sums_.clear(); }
  std::vector<float> pooled() const;

 private:
  Pooling pooling_;
  std::size_t tokens_;
  std::vector<double> sums_;
};

// To a length of 1. A vector of zeros stays as it is.
void normalise(std::span<float> vector);

}  // namespace backplane::local

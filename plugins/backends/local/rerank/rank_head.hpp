// SPDX-License-Identifier: Apache-2.0
// How a model that was made for ranking makes a score of the state of one token: by a classifier of
// its own (cls.weight, cls.output.weight), or by how much likelier "yes" is than "no".
#pragma once

#include <backplane/result.hpp>
#include <optional>
#include <span>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

class RankHead {
 public:
  // nullopt when the file has no classifier.
  static Result<std::optional<RankHead>> load(const ModelFile& file);
  // The classifier that the output's rows of the tokens "yes" and "no" make; nullopt where the
  // vocabulary lacks one of them.
  static Result<std::optional<RankHead>> of_answers(const ModelFile& file,
                                                    const Vocabulary& vocabulary);

  // From 0 to 1. `state` is the model's final one, normed.
  float score(std::span<const float> state) const;
  std::size_t inputs() const { return inputs_; }

 private:
  struct Linear {
    std::size_t outputs = 0;
    std::vector<float> weights;
    std::vector<float> bias;  // may be empty
  };
  static Result<Linear> read_linear(const ModelFile& file, const std::string& name,
                                    std::size_t inputs);
  static std::vector<float> apply(const Linear& linear, std::span<const float> x);

  std::size_t inputs_ = 0;
  std::optional<Linear> dense_;  // with tanh
  Linear output_;                // one label, or two of which the first is that it fits
};

}  // namespace backplane::local

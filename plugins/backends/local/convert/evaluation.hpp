// SPDX-License-Identifier: Apache-2.0
// How well a model foretells a text, and how far it is from another. The text's tokens, after the
// begin token where the model has one, are cut into windows of `context_tokens`; what is left over
// at the end is not used. In each window, whose first token becomes the begin token, the tokens of
// the second half but its first are foretold from all before them in the window. So
// llama-perplexity defines it, whose figures these equal.
#pragma once

#include <optional>
#include <string>

#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/store/progress.hpp"

namespace backplane::local {

struct EvaluationOptions {
  std::size_t context_tokens = 512;
  std::size_t windows_max = 0;  // 0: the whole text
  std::size_t threads = 0;      // 0: as many as the process may use
};

// Kullback-Leibler divergence, in nats, of the model from the reference: over all foretold tokens,
// of the reference's probabilities to the model's.
struct Divergence {
  double reference_perplexity = 0;
  double mean = 0;
  double max = 0;
  double same_top = 0;  // share of tokens for which both find the same one the likeliest
};

struct Evaluation {
  std::size_t windows = 0;
  std::size_t tokens = 0;  // foretold
  double perplexity = 0;
  double perplexity_error = 0;  // standard error
  std::optional<Divergence> divergence;
};

// `reference`: nullptr, or a model with the same vocabulary. A text of less than two windows is an
// error.
Result<Evaluation> evaluate_model(const ModelFile& model, const ModelFile* reference,
                                  std::string_view text, const EvaluationOptions& options,
                                  Progress& progress);

}  // namespace backplane::local

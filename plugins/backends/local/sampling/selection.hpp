// SPDX-License-Identifier: Apache-2.0
// Passes over a row of logits: its highest, its sum of exponentials, its largest. What is no number
// counts as impossible. Stateless; any thread. One pass over 128k logits takes tens of
// microseconds, and none allocates once the outputs have grown.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

struct Candidate {
  float weight;
  Token token;
};

// The likelier first, of equals the lower token.
inline bool is_likelier(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
}

// Minus infinity where there is no number.
float highest(std::span<const float> logits);
// The first token that has the highest logit; 0 where there is no number.
Token likeliest(std::span<const float> logits);
// exp((logit - shift) * scale), for logits up to `shift`; 0 below about 1e-38.
float weight_of(float logit, float shift, float scale);
// That of every logit into `weights`, of the same size; returns their sum.
double weigh(std::span<const float> logits, float shift, float scale, std::span<float> weights);
// The sum alone.
double sum_of_weights(std::span<const float> logits, float shift);
// The `count` largest logits, or all, the likeliest first.
void select_largest(std::span<const float> logits, std::size_t count, std::vector<Candidate>& out);

}  // namespace backplane::local

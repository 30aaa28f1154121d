// SPDX-License-Identifier: Apache-2.0
// Picks the next token from a row of logits. Its random numbers depend on the seed and on how
// many tokens were picked, on nothing else: the same request gives the same tokens whatever else
// runs. One request, one sampler, one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

struct SamplingOptions {
  float temperature = 1.0f;  // 0: always the likeliest token, the lowest id among equals
  std::uint32_t top_k = 0;   // only the k likeliest tokens; 0: all
  float top_p = 1.0f;        // only the likeliest tokens that make up this share; 1: all
  std::uint64_t seed = 0;
};

// kInvalidArgument naming the option that is out of range.
Status check(const SamplingOptions& options);

class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options) : options_(options), state_(options.seed) {}
  Token pick(std::span<const float> logits);

 private:
  struct Candidate {
    double weight;
    Token token;
  };
  static bool less_likely(const Candidate& a, const Candidate& b);
  void weigh(std::span<const float> logits);
  void keep_likeliest();
  Token draw();
  double next_uniform();

  SamplingOptions options_;
  std::uint64_t state_;
  std::vector<Candidate> candidates_;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Picks the next token from a row of logits. Its random numbers depend on the seed and on how
// many tokens were picked, on nothing else: the same request gives the same tokens whatever else
// runs. One request, one sampler, one thread.
//
// In this order: penalties, biases and bans (adjustment.hpp), temperature, top_k, typical_p,
// top_p, min_p; then one of what is left is drawn by its share.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "plugins/backends/local/sampling/adjustment.hpp"
#include "plugins/backends/local/sampling/selection.hpp"

namespace backplane::local {

inline constexpr std::size_t kLogitBiasesMax = 1024;

struct SamplingOptions {
  float temperature = 1.0f;  // 0: always the likeliest token, the lowest id among equals
  std::uint32_t top_k = 0;   // only the k likeliest tokens; 0: all
  float top_p = 1.0f;        // only the likeliest tokens that make up this share; 1: all
  std::uint64_t seed = 0;
  float min_p = 0.0f;  // only tokens this likely, the likeliest left being 1; 0: all
  float typical_p =
      1.0f;  // of the tokens nearest to the entropy, this share (Meister 2022); 1: all
  PenaltyOptions penalties = {};
  std::vector<LogitBias> logit_bias = {};
};

// kInvalidArgument naming the option that is out of range; `vocabulary` in tokens.
Status check(const SamplingOptions& options, std::size_t vocabulary);

// The seed of the choice of this number among several of one request; of choice 0 its own.
std::uint64_t seed_of_choice(std::uint64_t seed, std::uint32_t choice);

class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options, std::span<const Token> prompt = {});
  Token pick(std::span<const float> logits, const Choosable& choosable = {});

 private:
  Token choose(std::span<const float> logits);
  Token draw(std::span<const Candidate> candidates);
  double next_uniform();

  const SamplingOptions options_;
  Adjustment adjustment_;
  std::uint64_t state_;
};

}  // namespace backplane::local

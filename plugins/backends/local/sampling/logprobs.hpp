// SPDX-License-Identifier: Apache-2.0
// How likely a token was by the model's own distribution: before penalties, biases, grammars and
// temperature change it. Natural logarithms.
#pragma once

#include <span>
#include <vector>

#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

inline constexpr std::uint32_t kTopLogprobsMax = 20;
inline constexpr float kLogprobMin = -9999.0f;  // of what is impossible: JSON has no infinity

struct TokenLogprob {
  Token token = 0;
  float logprob = 0;
};

struct LogprobEntry {
  TokenLogprob picked;
  std::vector<TokenLogprob> top;  // the likeliest first
};

LogprobEntry logprobs_of(std::span<const float> logits, Token picked, std::uint32_t top);

}  // namespace backplane::local

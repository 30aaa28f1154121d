// SPDX-License-Identifier: Apache-2.0
// What a caller asks the engine for.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/adapters/lora_adapter.hpp"
#include "plugins/backends/local/embeddings/pooling.hpp"
#include "plugins/backends/local/sampling/sampler.hpp"
#include "plugins/backends/local/structured/grammar_constraint.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

using RequestId = std::uint64_t;

inline constexpr std::size_t kStopStringsMax = 16;
inline constexpr std::size_t kStopStringBytesMax = 1024;
inline constexpr std::size_t kStopTokensMax = 1024;

struct GenerateRequest {
  std::vector<Token> prompt_tokens;
  std::uint32_t max_tokens = 0;  // 0: as many as the context has room for
  std::uint32_t min_tokens = 0;  // before them nothing that ends an answer is picked
  bool ignore_eos = false;       // nor ever: only max_tokens and stop strings end it
  SamplingOptions sampling;
  std::vector<std::string> stop;    // never part of the output
  std::vector<Token> stop_tokens;   // likewise; sorted
  std::vector<Token> shown_tokens;  // control tokens whose text is output all the same; sorted
  GrammarPointer grammar;           // what the answer must look like; null: anything
  const TokenTrie* trie = nullptr;  // of the model's vocabulary, with a grammar; outlives it
  std::optional<std::uint32_t> top_logprobs;  // how many besides that of each token; none: none
  std::int32_t priority = 0;                  // lower is more urgent
  // How long the weights stay after it; negative: for ever; none: as the options say.
  std::optional<std::chrono::milliseconds> keep_alive;
  // Nothing is generated: the listener hears the states of the prompt's tokens, pooled.
  std::optional<Pooling> pooling;
  std::shared_ptr<const LoraAdapter> adapter;  // nullptr: the model as it is
  float adapter_scale = 1;
};

}  // namespace backplane::local

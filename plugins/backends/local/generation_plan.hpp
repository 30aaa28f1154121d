// SPDX-License-Identifier: Apache-2.0
// From what a client asks to what the engine is to generate and how its text is to be read.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/output/output_format.hpp"
#include "plugins/backends/local/request/request.hpp"
#include "plugins/backends/local/structured/token_trie.hpp"

namespace backplane::local {

// What of a model its answers are read by.
struct ModelOutput {
  OutputFormat format;
  std::unique_ptr<const TokenTrie> trie;
};

struct GenerationPlan {
  // The choices of the first prompt, then those of the next.
  std::vector<GenerateRequest> requests;
  std::uint32_t choices_per_prompt = 1;
  OutputFormat format;           // of what comes out
  bool begins_thinking = false;  // the prompt has opened the thoughts
};

// On the preparer's thread; `now_s` is Unix time. The output outlives what is generated.
Result<GenerationPlan> plan_generation(const Engine& engine, const ModelOutput& output,
                                       ParsedRequest request, std::int64_t now_s);

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// From what a client asks to what the engine is to generate and how its text is to be read.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <vector>

#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/output/output_format.hpp"
#include "plugins/backends/local/request/request.hpp"

namespace backplane::local {

struct GenerationPlan {
  // The choices of the first prompt, then those of the next.
  std::vector<GenerateRequest> requests;
  std::uint32_t choices_per_prompt = 1;
  OutputFormat format;           // of what comes out
  bool begins_thinking = false;  // the prompt has opened the thoughts
};

// `format` is the model's. On the preparer's thread; `now_s` is Unix time.
Result<GenerationPlan> plan_generation(const Engine& engine, const OutputFormat& format,
                                       ParsedRequest request, std::int64_t now_s);

}  // namespace backplane::local

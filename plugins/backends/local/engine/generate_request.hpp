// SPDX-License-Identifier: Apache-2.0
// What a caller asks the engine for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/backends/local/sampling/sampler.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

using RequestId = std::uint64_t;

inline constexpr std::size_t kStopStringsMax = 16;
inline constexpr std::size_t kStopStringBytesMax = 1024;

struct GenerateRequest {
  std::vector<Token> prompt_tokens;
  std::uint32_t max_tokens = 0;  // 0: as many as the context has room for
  SamplingOptions sampling;
  std::vector<std::string> stop;  // never part of the output
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// What chat.completions and completions have in common: how tokens are picked and when to end.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/engine/generate_request.hpp"

namespace backplane::local {

inline constexpr std::uint32_t kChoicesMax = 128;  // of one request, all prompts together
inline constexpr std::size_t kStopsMax = 128;      // of one request

// What a request means where it says nothing.
struct RequestDefaults {
  float temperature = 1.0f;
  float top_p = 1.0f;
  std::uint32_t top_k = 0;
  std::uint64_t seed = 0;  // of one request
};

struct GenerateFields {
  std::uint32_t max_tokens = 0;
  std::uint32_t min_tokens = 0;
  bool ignore_eos = false;
  SamplingOptions sampling;
  std::vector<std::string> stop;
  std::vector<Token> stop_tokens;                       // sorted
  std::uint32_t choices = 1;                            // for each prompt
  std::int32_t priority = 0;                            // lower is more urgent
  std::optional<std::chrono::milliseconds> keep_alive;  // see keep_alive.hpp
};

Status read_generate_fields(const boost::json::object& body, const RequestDefaults& defaults,
                            GenerateFields& out);

}  // namespace backplane::local

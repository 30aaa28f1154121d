// SPDX-License-Identifier: Apache-2.0
// From an OpenAI-dialect document to what the engine generates: every field the backend serves is
// checked, every field it does not serve is refused unless it has its neutral value.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/chat_template/value.hpp"
#include "plugins/backends/local/engine/generate_request.hpp"

namespace backplane::local {

// What a request means where it says nothing.
struct RequestDefaults {
  double temperature = 1.0;
  double top_p = 1.0;
  std::uint32_t top_k = 0;
  std::uint64_t seed = 0;
};

struct ParsedRequest {
  bool is_chat = false;
  Value messages;      // chat: a list of {role, content} with content a string
  std::string prompt;  // text completion
  std::uint32_t max_tokens = 0;
  SamplingOptions sampling;
  std::vector<std::string> stop;
};

inline constexpr std::size_t kMessagesMax = 10'000;

// Errors are kInvalidArgument and begin with the field. Any thread.
Result<ParsedRequest> parse_request(std::string_view operation, std::string_view body,
                                    const RequestDefaults& defaults);

}  // namespace backplane::local

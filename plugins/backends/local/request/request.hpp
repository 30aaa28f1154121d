// SPDX-License-Identifier: Apache-2.0
// From an OpenAI-dialect document to what the engine generates: every field the backend serves is
// checked, and a field whose meaning would be lost is refused.
#pragma once

#include <backplane/result.hpp>
#include <string_view>
#include <variant>

#include "plugins/backends/local/adapters/adapter_choice.hpp"
#include "plugins/backends/local/request/chat_fields.hpp"
#include "plugins/backends/local/request/completion_fields.hpp"
#include "plugins/backends/local/request/generate_fields.hpp"

namespace backplane::local {

inline constexpr std::size_t kBodyDepthMax = 128;

struct ParsedRequest {
  AdapterField adapter;
  GenerateFields generate;
  std::variant<ChatFields, CompletionFields> input;
};

// Errors are kInvalidArgument and begin with the field. Any thread.
Result<ParsedRequest> parse_request(std::string_view operation, std::string_view body,
                                    const RequestDefaults& defaults);

}  // namespace backplane::local

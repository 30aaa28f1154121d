// SPDX-License-Identifier: Apache-2.0
// How a model writes tool calls and thoughts, which its chat template gives away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

enum class ToolFormat {
  kNone,     // what it writes is text
  kGeneric,  // {"name": ..., "arguments": ...} as the whole answer; for models taught no format
  kHermes,   // <tool_call>{"name": ..., "arguments": ...}</tool_call>, Qwen too
  kLlama3,   // {"name": ..., "parameters": ...}, perhaps behind <|python_tag|>
  kMistral,  // [TOOL_CALLS][{"name": ..., "arguments": ...}]
  kMistralNamed,    // [TOOL_CALLS]name[ARGS]{...}, since their version 11
  kMistralNamedId,  // [TOOL_CALLS]name[CALL_ID]id[ARGS]{...}
};

// What stands around thoughts; both empty: the model has none.
struct ReasoningTags {
  std::string open;
  std::string close;
};

struct OutputFormat {
  ToolFormat tools = ToolFormat::kNone;
  ReasoningTags reasoning;
};

OutputFormat format_of_template(std::string_view source);
// "generic", "hermes", "llama3", "mistral", "none", ... ; kGeneric's name is for settings only.
bool find_tool_format(std::string_view name, ToolFormat& out);

// Texts that the format gives a meaning, which may be control tokens of the model.
std::vector<std::string> markers_of(const OutputFormat& format);

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// What chat.completions alone have: a conversation, tools, and the form of the answer.
#pragma once

#include <backplane/result.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

inline constexpr std::size_t kMessagesMax = 10'000;
inline constexpr std::size_t kToolsMax = 1'024;

struct Tool {
  std::string name;
  std::string parameters;  // a JSON schema; empty: any object
  bool strict = false;
};

enum class ToolChoice { kNone, kAuto, kRequired, kNamed };
enum class AnswerForm { kText, kJsonObject, kJsonSchema };

struct ChatFields {
  // What the chat template may ask for, by name: messages, tools, documents, ... The content of a
  // message is text, and the arguments of its tool calls are objects.
  Object template_inputs;
  std::vector<Tool> tools;
  ToolChoice tool_choice = ToolChoice::kNone;  // kAuto where there are tools
  std::string tool_name;                       // kNamed
  bool parallel_tool_calls = true;
  AnswerForm form = AnswerForm::kText;
  std::string schema;  // kJsonSchema
  std::optional<std::uint32_t> top_logprobs;
};

Status read_chat_fields(const boost::json::object& body, ChatFields& out);

// The messages with the arguments of their tool calls as the JSON text that clients send, for
// templates that print them so.
Value with_argument_texts(const Value& messages);

}  // namespace backplane::local

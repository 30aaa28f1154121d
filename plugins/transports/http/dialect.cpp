// SPDX-License-Identifier: Apache-2.0
#include "dialect.hpp"

#include "json_text.hpp"
#include "sse.hpp"

#include <backplane/plugin.hpp>

namespace backplane::http {
namespace {

constexpr std::string_view kRole =
    R"(,"delta":{"role":"assistant","content":""},"finish_reason":null}])";
constexpr std::string_view kRoleAlone =
    R"(,"delta":{"role":"assistant","content":null},"finish_reason":null}])";
constexpr std::string_view kDeltaClose = R"("},"finish_reason":null}])";
constexpr std::string_view kUsageNull = ",\"usage\":null}\n\n";
constexpr std::string_view kPlainClose = "}\n\n";

struct Shape {
  std::string_view id_prefix;
  std::string_view document;
  std::string_view chunk;
  std::string_view text_open;
  std::string_view text_close;
  std::string_view finish_open;
};

constexpr Shape kChat = {"chatcmpl-",
                         "chat.completion",
                         "chat.completion.chunk",
                         R"(,"delta":{"content":")",
                         kDeltaClose,
                         R"(,"delta":{},"finish_reason":)"};
constexpr Shape kCompletion = {"cmpl-",
                               "text_completion",
                               "text_completion",
                               R"(,"text":")",
                               R"(","logprobs":null,"finish_reason":null}])",
                               R"(,"text":"","logprobs":null,"finish_reason":)"};

const Shape& shape_of(DialectKind kind) {
  return kind == DialectKind::kChat ? kChat : kCompletion;
}

void append_open(std::string& out, const DialectCall& call, std::string_view object) {
  out += R"({"id":")";
  out += shape_of(call.kind).id_prefix;
  append_json_text(out, call.request_id);
  out += R"(","object":")";
  out += object;
  out += R"(","created":)";
  append_number(out, static_cast<std::uint64_t>(call.created_s));
  out += R"(,"model":)";
  append_json_string(out, call.model);
  out += R"(,"choices":[)";
}

void append_usage(std::string& out, const bp_usage& usage) {
  out += R"("usage":{"prompt_tokens":)";
  append_number(out, usage.prompt_tokens);
  out += R"(,"completion_tokens":)";
  append_number(out, usage.completion_tokens);
  out += R"(,"total_tokens":)";
  append_number(out, usage.prompt_tokens + usage.completion_tokens);
  out += R"(,"prompt_tokens_details":{"cached_tokens":)";
  append_number(out, usage.cached_prompt_tokens);
  out += R"(},"completion_tokens_details":{"reasoning_tokens":)";
  append_number(out, usage.reasoning_tokens);
  out += "}}";
}

// Up to the arguments.
void append_tool_call_name(std::string& out, std::string_view id, std::string_view name) {
  out += R"("id":)";
  append_json_string(out, id);
  out += R"(,"type":"function","function":{"name":)";
  append_json_string(out, name);
  out += ',';
}

void append_tool_calls(std::string& out, const std::vector<ToolCall>& calls) {
  out += R"(,"tool_calls":)";
  for (std::size_t i = 0; i < calls.size(); ++i) {
    out += i == 0 ? "[{" : ",{";
    append_tool_call_name(out, calls[i].id, calls[i].name);
    out += R"("arguments":)";
    append_json_string(out, calls[i].arguments);
    out += "}}";
  }
  out += ']';
}

}  // namespace

void Dialect::start(const DialectCall& call) {
  const Shape& shape = shape_of(call.kind);
  kind_ = call.kind;
  document_open_.clear();
  append_open(document_open_, call, shape.document);
  event_open_ = kEventOpen;
  append_open(event_open_, call, shape.chunk);
  choice_open_ = event_open_;
  choice_open_ += R"({"index":)";
  text_open_ = shape.text_open;
  text_close_ = shape.text_close;
  event_close_ = call.usage_chunk ? kUsageNull : kPlainClose;
  first_text_ = choice_open_;
  first_text_ += '0';
  first_text_ += text_open_;
}

void Dialect::role_event(std::string& out, std::uint32_t index, bool with_content) const {
  out += choice_open_;
  append_number(out, index);
  out += with_content ? kRole : kRoleAlone;
  out += event_close_;
}

void Dialect::text_event(std::string& out, std::uint32_t index, std::string_view utf8) const {
  if (index == 0) {
    out += first_text_;
  } else {
    out += choice_open_;
    append_number(out, index);
    out += text_open_;
  }
  append_json_text(out, utf8);
  out += text_close_;
  out += event_close_;
}

void Dialect::text_event(std::string& out, std::uint32_t index, std::string_view utf8,
                         std::string_view logprobs, Choice& choice) const {
  out += choice_open_;
  append_number(out, index);
  out += text_open_;
  append_json_text(out, utf8);
  out += is_chat() ? R"("},"logprobs":)" : R"(","logprobs":)";
  append_logprobs(out, array_inside(logprobs), choice.characters);
  out += R"(,"finish_reason":null}])";
  out += event_close_;
}

void Dialect::reasoning_event(std::string& out, std::uint32_t index, std::string_view utf8) const {
  out += choice_open_;
  append_number(out, index);
  out += R"(,"delta":{"reasoning_content":")";
  append_json_text(out, utf8);
  out += kDeltaClose;
  out += event_close_;
}

void Dialect::tool_call_event(std::string& out, std::uint32_t index, const bp_tool_call& call,
                              std::string_view arguments) const {
  out += choice_open_;
  append_number(out, index);
  out += R"(,"delta":{"tool_calls":[{"index":)";
  append_number(out, call.index);
  out += ',';
  if (call.id.size != 0) {
    append_tool_call_name(out, view(call.id), view(call.name));
  } else {
    out += R"("function":{)";
  }
  out += R"("arguments":)";
  append_json_string(out, arguments);
  out += R"(}}]},"finish_reason":null}])";
  out += event_close_;
}

void Dialect::finish_event(std::string& out, std::uint32_t index, std::string_view reason) const {
  out += choice_open_;
  append_number(out, index);
  out += shape_of(kind_).finish_open;
  append_json_string(out, reason);
  out += "}]";
  out += event_close_;
}

void Dialect::usage_event(std::string& out, const bp_usage& usage) const {
  out += event_open_;
  out += "],";
  append_usage(out, usage);
  out += kPlainClose;
}

void Dialect::document(std::string& out, const std::vector<Choice>& choices,
                       const bp_usage* usage) const {
  out += document_open_;
  for (std::uint32_t index = 0; index < choices.size(); ++index) {
    if (index != 0) out += ',';
    append_choice(out, index, choices[index]);
  }
  out += ']';
  if (usage != nullptr) {
    out += ',';
    append_usage(out, *usage);
  }
  out += '}';
}

void Dialect::append_choice(std::string& out, std::uint32_t index, const Choice& choice) const {
  const bool chat = kind_ == DialectKind::kChat;
  out += R"({"index":)";
  append_number(out, index);
  if (chat) {
    append_message(out, choice);
  } else {
    out += R"(,"text":)";
    append_json_string(out, choice.text);
  }
  out += R"(,"logprobs":)";
  std::uint64_t characters = 0;
  if (choice.logprobs.empty()) {
    out += "null";
  } else {
    append_logprobs(out, choice.logprobs, characters);
  }
  out += R"(,"finish_reason":)";
  append_json_string(out, choice.finish_reason);
  out += '}';
}

void Dialect::append_message(std::string& out, const Choice& choice) {
  out += R"(,"message":{"role":"assistant","content":)";
  if (choice.text.empty() && !choice.tool_calls.empty()) {
    out += "null";
  } else {
    append_json_string(out, choice.text);
  }
  if (!choice.reasoning.empty()) {
    out += R"(,"reasoning_content":)";
    append_json_string(out, choice.reasoning);
  }
  if (!choice.tool_calls.empty()) append_tool_calls(out, choice.tool_calls);
  out += R"(,"refusal":null})";
}

void Dialect::append_logprobs(std::string& out, std::string_view entries,
                              std::uint64_t& characters) const {
  if (!is_chat()) return append_completion_logprobs(out, entries, characters);
  out += R"({"content":[)";
  out += entries;
  out += R"(],"refusal":null})";
}

}  // namespace backplane::http

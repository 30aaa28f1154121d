// SPDX-License-Identifier: Apache-2.0
// Generated text as OpenAI's documents: chunks of a stream, or one whole document.
#pragma once

#include "completion_logprobs.hpp"

#include <backplane/abi.h>

#include <string>
#include <string_view>
#include <vector>

namespace backplane::http {

enum class DialectKind { kChat, kCompletion };

struct DialectCall {
  DialectKind kind = DialectKind::kChat;
  std::string_view request_id;
  std::string_view model;
  std::int64_t created_s = 0;
  bool usage_chunk = false;  // a stream ends with its usage, and says null before
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;
};

// One choice of an answer. Of a stream only what its next event depends on.
struct Choice {
  bool opened = false;
  std::string text;
  std::string reasoning;
  std::vector<ToolCall> tool_calls;
  std::string logprobs;          // the entries of all pieces, without brackets
  std::uint64_t characters = 0;  // of a stream's text with logprobs
  std::string finish_reason;     // empty: not finished
};

class Dialect {
 public:
  // Builds what all documents of this call share.
  void start(const DialectCall& call);

  // Each appends one event, framed, to `out`; once `out` has grown, nothing is allocated.
  // `with_content`: the choice begins with text.
  void role_event(std::string& out, std::uint32_t index, bool with_content) const;
  void text_event(std::string& out, std::uint32_t index, std::string_view utf8) const;
  // `logprobs` as bp_event says; `choice.characters` of text came before and is counted on.
  void text_event(std::string& out, std::uint32_t index, std::string_view utf8,
                  std::string_view logprobs, Choice& choice) const;
  // Of a chat.
  void reasoning_event(std::string& out, std::uint32_t index, std::string_view utf8) const;
  void tool_call_event(std::string& out, std::uint32_t index, const bp_tool_call& call,
                       std::string_view arguments) const;
  void finish_event(std::string& out, std::uint32_t index, std::string_view reason) const;
  void usage_event(std::string& out, const bp_usage& usage) const;

  // `usage` may be null: then the document has none.
  void document(std::string& out, const std::vector<Choice>& choices, const bp_usage* usage) const;

  bool is_chat() const { return kind_ == DialectKind::kChat; }

 private:
  void append_choice(std::string& out, std::uint32_t index, const Choice& choice) const;
  static void append_message(std::string& out, const Choice& choice);
  void append_logprobs(std::string& out, std::string_view entries, std::uint64_t& characters) const;

  DialectKind kind_ = DialectKind::kChat;
  std::string document_open_;  // {"id":...,"choices":[
  std::string event_open_;     // data: {"id":...,"choices":[
  std::string choice_open_;    // ... {"index":
  std::string first_text_;     // ... up to the text of choice 0
  std::string_view text_open_;
  std::string_view text_close_;
  std::string_view event_close_;
};

}  // namespace backplane::http

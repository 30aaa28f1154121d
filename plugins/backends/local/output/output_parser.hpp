// SPDX-License-Identifier: Apache-2.0
// Turns the text of an answer into thoughts, content and tool calls. Pieces may be cut anywhere;
// one answer, one thread.
#pragma once

#include <string>
#include <string_view>

#include "plugins/backends/local/output/output_format.hpp"
#include "plugins/backends/local/output/output_listener.hpp"
#include "plugins/backends/local/output/tool_call_parser.hpp"

namespace backplane::local {

class OutputParser {
 public:
  // `begins_thinking`: the prompt has opened the thoughts already. The listener outlives it.
  OutputParser(const OutputFormat& format, bool begins_thinking, OutputListener& listener);

  void push(std::string_view text);
  // The text has ended; what was held back is told.
  void finish();
  bool is_thinking() const { return at_ == At::kThinking; }

 private:
  enum class At { kStart, kThinking, kBehind, kAnswer };
  bool advance();
  bool look_for_thoughts();
  bool think();

  const ReasoningTags tags_;
  OutputListener& listener_;
  ToolCallParser calls_;
  At at_;
  std::string pending_;
  bool thought_ = false;  // some of it has been told
};

}  // namespace backplane::local

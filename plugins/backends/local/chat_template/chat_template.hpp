// SPDX-License-Identifier: Apache-2.0
// A model's chat template: the part of Jinja that such templates use, parsed once and rendered
// for each conversation. Parsed templates are immutable; any thread may render.
//
// Supported: text, {{ }}, for (with loop.*, else, break, continue), if, set, macro, filter
// blocks, namespaces, slices, and the functions in template_functions.hpp. Templates come from
// model files and are not trusted: depth, steps and the length of the output are bounded.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/backends/local/chat_template/template_tree.hpp"
#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

inline constexpr std::size_t kTemplateSourceBytesMax = std::size_t{1} << 20;

class ChatTemplate {
 public:
  // kInvalidArgument naming the line of what is not supported.
  static Result<ChatTemplate> parse(std::string_view source);
  // `inputs` is an object: messages, add_generation_prompt, bos_token, ... `now_s` (Unix time)
  // is the clock of strftime_now, in UTC. Fails with the template's own raise_exception text,
  // or with the line of what went wrong.
  Result<std::string> render(const Value& inputs, std::int64_t now_s) const;

 private:
  explicit ChatTemplate(Block block) : block_(std::move(block)) {}
  Block block_;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// From a parsed request to prompt tokens: a chat through the model's template, a text as it is.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "plugins/backends/local/chat_template.hpp"
#include "plugins/backends/local/engine.hpp"
#include "plugins/backends/local/request.hpp"

namespace backplane::local {

// Borrows the engine. Any thread.
class Conversation {
 public:
  // A model without a template serves text completions only.
  static Result<Conversation> create(const Engine& engine);

  Result<std::vector<Token>> tokens(const ParsedRequest& request, std::int64_t now_s) const;

 private:
  Conversation(const Engine& engine, std::optional<ChatTemplate> chat_template)
      : engine_(&engine), template_(std::move(chat_template)) {}
  Result<std::string> render(const ParsedRequest& request, std::int64_t now_s) const;

  const Engine* engine_;
  std::optional<ChatTemplate> template_;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// What of a model is text, and stays while its weights are unloaded: the tokenizer, the chat
// template, and what the file says of itself. Immutable; any thread.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/chat_template/chat_template.hpp"
#include "plugins/backends/local/engine/engine_options.hpp"
#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

struct ModelInfo {
  std::string name;
  std::string architecture;
  std::string file_type;      // of most weights: "Q8_0"
  std::string chat_template;  // its source; empty: none
  std::string tool_template;  // instead, for conversations with tools; empty: the same
  std::uint64_t parameters = 0;
  std::uint32_t context_tokens = 0;  // the most a request may use, prompt and answer together
  std::uint32_t embedding_size = 0;  // numbers of a token's state

  const std::string& template_for(bool with_tools) const {
    return with_tools && !tool_template.empty() ? tool_template : chat_template;
  }
};

class ModelText {
 public:
  // Errors name the file, the place and the remedy.
  static Result<ModelText> load(const EngineOptions& options);

  const ModelInfo& info() const { return info_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const ModelFile& file() const { return *file_; }
  // Of the cache; what cache_bytes_max allows.
  std::size_t pages() const { return pages_; }

  // As Engine has them.
  Result<std::string> render_chat(Object inputs, std::int64_t now_s) const;
  Status check_length(std::string_view text) const;
  std::vector<Token> tokenize_chat(std::string_view rendered) const;
  std::vector<Token> tokenize_text(std::string_view text) const;

 private:
  explicit ModelText(ModelFile file) : file_(std::make_unique<ModelFile>(std::move(file))) {}
  Status load_chat_templates();
  Status describe(const EngineOptions& options);

  std::unique_ptr<ModelFile> file_;  // the tokenizer's texts lie there
  std::unique_ptr<Tokenizer> tokenizer_;
  std::optional<Result<ChatTemplate>> chat_template_;
  std::optional<Result<ChatTemplate>> tool_template_;
  std::size_t pages_ = 0;
  ModelInfo info_;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/model_text.hpp"

#include <algorithm>
#include <tuple>

#include "plugins/backends/local/model/model.hpp"
#include "plugins/backends/local/tokenizer/literal_text.hpp"

namespace backplane::local {

Result<ModelText> ModelText::load(const EngineOptions& options) {
  auto file = ModelFile::open(options.model_path, TensorData::kLeave);
  if (!file) return file.error();
  ModelText text(std::move(*file));
  auto tokenizer = Tokenizer::load(*text.file_);
  if (!tokenizer) return tokenizer.error();
  text.tokenizer_ = std::move(*tokenizer);
  if (auto status = text.load_chat_templates(); !status) return status.error();
  if (auto status = text.describe(options); !status) return status.error();
  return text;
}

namespace {

// What clients wrote, with the names of control tokens in it marked as text. Copies alone what
// changes.
Value with_marks(const Value& value, const Vocabulary& vocabulary) {
  if (value.string() != nullptr) {
    const std::string& text = *value.string();
    return has_control_names(text, vocabulary) ? Value(mark_literal(text, vocabulary)) : value;
  }
  if (value.list() != nullptr) {
    List list;
    for (const Value& element : *value.list()) list.push_back(with_marks(element, vocabulary));
    return list;
  }
  if (value.object() == nullptr) return value;
  Object object;
  for (const auto& [key, member] : value.object()->members) {
    object.set(mark_literal(key, vocabulary), with_marks(member, vocabulary));
  }
  return object;
}

}  // namespace

// A model with templates that cannot be parsed still completes plain text; conversations hear why
// they cannot be rendered.
Status ModelText::load_chat_templates() {
  const std::tuple<const char*, std::string*, std::optional<Result<ChatTemplate>>*> kinds[] = {
      {"tokenizer.chat_template", &info_.chat_template, &chat_template_},
      {"tokenizer.chat_template.tool_use", &info_.tool_template, &tool_template_}};
  for (const auto& [key, text, parsed] : kinds) {
    const auto source = file_->text(key);
    if (!source) return source.error();
    if (!source->has_value()) continue;
    *text = **source;
    parsed->emplace(ChatTemplate::parse(**source));
  }
  return ok();
}

Status ModelText::describe(const EngineOptions& options) {
  const auto parameters = read_hyper_parameters(*file_);
  if (!parameters) return parameters.error();
  const auto text = [&](std::string_view key) -> std::string {
    const auto found = file_->text(key);
    return found && found->has_value() ? std::string(**found) : std::string();
  };
  info_.name = text("general.name");
  info_.architecture = text("general.architecture");
  const FileTensor* const most = file_->tensor("blk.0.ffn_down.weight");
  if (most != nullptr) info_.file_type = find_ggml_type(most->type)->name;
  for (const FileTensor& tensor : file_->tensors()) {
    std::uint64_t weights = 1;
    for (const std::uint64_t dimension : tensor.dimensions) weights *= dimension;
    info_.parameters += weights;
  }
  const std::size_t page_bytes = Model::page_bytes(*parameters);
  pages_ = options.cache_bytes_max / page_bytes;
  if (pages_ == 0) {
    return invalid_argument("cache_megabytes: " + std::to_string(kPagePositions) + " tokens need " +
                            std::to_string(page_bytes) + " bytes; raise it");
  }
  std::uint64_t context =
      std::min<std::uint64_t>(parameters->context_length, pages_ * kPagePositions);
  if (options.context_tokens > 0) {
    context = std::min<std::uint64_t>(context, options.context_tokens);
  }
  info_.context_tokens = static_cast<std::uint32_t>(context);
  info_.embedding_size = static_cast<std::uint32_t>(parameters->embedding);
  return ok();
}

Result<std::string> ModelText::render_chat(Object inputs, std::int64_t now_s) const {
  const Value* tools = inputs.find("tools");
  const bool uses_tools = tool_template_ && tools != nullptr && tools->truth();
  const auto& chosen = uses_tools ? tool_template_ : chat_template_;
  if (!chosen) {
    return Error{Code::kFailedPrecondition,
                 "the model has no chat template; send a plain completion",
                 {},
                 0,
                 0};
  }
  if (!*chosen) return chosen->error();
  const Vocabulary& vocabulary = tokenizer_->vocabulary();
  const auto text = [&](const std::optional<Token>& token) {
    return token ? std::string(vocabulary.text(*token)) : std::string();
  };
  for (auto& [name, value] : inputs.members) value = with_marks(value, vocabulary);
  inputs.set("bos_token", text(vocabulary.bos()));
  inputs.set("eos_token", text(vocabulary.eos()));
  return (*chosen)->render(Value(std::move(inputs)), now_s);
}

Status ModelText::check_length(std::string_view text) const {
  const std::size_t context = info_.context_tokens;
  if (text.size() / tokenizer_->vocabulary().longest_bytes() <= context) return ok();
  return Error{Code::kInvalidArgument,
               "the prompt has " + std::to_string(text.size()) + " bytes; the context holds " +
                   std::to_string(context) + " tokens: shorten the prompt",
               "context_length_exceeded", 0, 0};
}

std::vector<Token> ModelText::tokenize_chat(std::string_view rendered) const {
  const auto bos = tokenizer_->vocabulary().bos();
  const bool has_bos = bos && rendered.starts_with(tokenizer_->vocabulary().text(*bos));
  return tokenizer_->encode(rendered, {!has_bos, true, true});
}

std::vector<Token> ModelText::tokenize_text(std::string_view text) const {
  return tokenizer_->encode(text, {true, false});
}

}  // namespace backplane::local

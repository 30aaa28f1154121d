// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/tokenizer_draft.hpp"

#include <cstring>

namespace backplane::local {
namespace {

// All texts in one block, and where each stands in it.
MetadataArray keep_texts(ModelFile& out, std::span<const std::string_view> texts) {
  std::string all;
  for (const std::string_view text : texts) all += text;
  const std::string_view kept = out.keep(std::move(all));
  MetadataArray array;
  array.type = MetadataType::kString;
  array.strings.reserve(texts.size());
  std::size_t at = 0;
  for (const std::string_view text : texts) {
    array.strings.push_back(kept.substr(at, text.size()));
    at += text.size();
  }
  return array;
}

template <class Number>
MetadataArray keep_numbers(ModelFile& out, MetadataType type, const std::vector<Number>& numbers) {
  std::string bytes(numbers.size() * sizeof(Number), '\0');
  if (!numbers.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
  const std::string_view kept = out.keep(std::move(bytes));
  MetadataArray array;
  array.type = type;
  array.raw = std::as_bytes(std::span(kept.data(), kept.size()));
  return array;
}

void store_tokens(const TokenizerDraft& draft, ModelFile& out) {
  std::vector<std::string_view> texts;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  std::vector<std::uint8_t> flags;
  bool has_flags = false;
  for (const DraftToken& token : draft.tokens) {
    texts.push_back(token.text);
    types.push_back(static_cast<std::int32_t>(token.type));
    scores.push_back(token.score);
    flags.push_back(token.flags);
    has_flags = has_flags || token.flags != 0;
  }
  out.set("tokenizer.ggml.tokens", keep_texts(out, texts));
  out.set("tokenizer.ggml.token_type", keep_numbers(out, MetadataType::kInt32, types));
  if (draft.model != "gpt2") {
    out.set("tokenizer.ggml.scores", keep_numbers(out, MetadataType::kFloat32, scores));
  }
  if (has_flags) {
    out.set("backplane.tokenizer.flags", keep_numbers(out, MetadataType::kUint8, flags));
  }
}

void store_texts(const char* key, const std::vector<std::string>& texts, ModelFile& out) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  out.set(key, keep_texts(out, views));
}

}  // namespace

bool TokenizerDraft::reserve(std::uint64_t id) {
  if (id >= kVocabularyTokensMax) return false;
  for (std::size_t next = tokens.size(); next <= id; ++next) {
    tokens.push_back({"[unused " + std::to_string(next) + "]"});
  }
  return true;
}

void store(TokenizerDraft draft, ModelFile& out) {
  out.set("tokenizer.ggml.model", out.keep(draft.model));
  store_tokens(draft, out);
  if (!draft.merges.empty() || draft.model == "gpt2") {
    store_texts("tokenizer.ggml.merges", draft.merges, out);
  }
  if (draft.model == "gpt2") store_texts("backplane.tokenizer.patterns", draft.patterns, out);
  const std::pair<const char*, std::optional<Token>> ids[] = {
      {"tokenizer.ggml.bos_token_id", draft.bos},
      {"tokenizer.ggml.eos_token_id", draft.eos},
      {"tokenizer.ggml.unknown_token_id", draft.unknown}};
  for (const auto& [key, id] : ids) {
    if (id) out.set(key, static_cast<std::uint64_t>(*id));
  }
  out.set("tokenizer.ggml.add_bos_token", draft.adds_bos);
  out.set("tokenizer.ggml.add_eos_token", draft.adds_eos);
  out.set("tokenizer.ggml.add_space_prefix", draft.space_prefix);
  out.set("backplane.tokenizer.space_prefix_once", draft.space_prefix_once);
  out.set("backplane.tokenizer.ignore_merges", draft.ignore_merges);
  if (!draft.normalizer.empty()) {
    out.set("backplane.tokenizer.normalizer", out.keep(std::move(draft.normalizer)));
  }
}

}  // namespace backplane::local

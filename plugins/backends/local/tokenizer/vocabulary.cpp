// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

#include <algorithm>
#include <array>

namespace backplane::local {
namespace {

// Control tokens that end a turn in models whose files name only one of them.
constexpr std::array<std::string_view, 8> kTurnEnds = {
    "<|eot_id|>",    "<|im_end|>",      "<|end|>",    "<end_of_turn>",
    "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>", "<|return|>"};

}  // namespace

Result<Vocabulary> Vocabulary::load(const ModelFile& file) {
  Vocabulary vocabulary;
  if (auto status = vocabulary.read_tokens(file); !status) return status.error();
  if (auto status = vocabulary.read_types(file); !status) return status.error();
  if (auto status = vocabulary.read_flags(file); !status) return status.error();
  if (auto status = vocabulary.read_named(file); !status) return status.error();
  vocabulary.index_specials();
  return vocabulary;
}

Status Vocabulary::read_tokens(const ModelFile& file) {
  const auto tokens = file.strings("tokenizer.ggml.tokens");
  if (!tokens) return tokens.error();
  if (*tokens == nullptr) return file.missing("tokenizer.ggml.tokens");
  texts_ = (*tokens)->strings;
  if (texts_.empty() || texts_.size() > kVocabularyTokensMax) {
    return file.wrong("tokenizer.ggml.tokens", "has " + std::to_string(texts_.size()) +
                                                   " tokens, expected 1 to " +
                                                   std::to_string(kVocabularyTokensMax));
  }
  ids_.reserve(texts_.size());
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    ids_[texts_[i]] = static_cast<Token>(i);
    longest_bytes_ = std::max(longest_bytes_, texts_[i].size());
  }
  return ok();
}

Status Vocabulary::read_types(const ModelFile& file) {
  const auto check = [&](const MetadataArray* array, std::string_view key) -> Status {
    if (array == nullptr || array->size() == size()) return ok();
    return file.wrong(key, "has " + std::to_string(array->size()) + " elements for " +
                               std::to_string(size()) + " tokens; the file is damaged");
  };
  const auto types = file.numbers("tokenizer.ggml.token_type");
  if (!types) return types.error();
  if (auto status = check(*types, "tokenizer.ggml.token_type"); !status) return status;
  const auto scores = file.numbers("tokenizer.ggml.scores");
  if (!scores) return scores.error();
  if (auto status = check(*scores, "tokenizer.ggml.scores"); !status) return status;
  types_.assign(size(), TokenType::kNormal);
  scores_.assign(size(), 0.0f);
  for (std::size_t i = 0; i < size(); ++i) {
    if (*types != nullptr) {
      const double type = (*types)->number(i);
      if (type >= 1 && type <= 6) types_[i] = static_cast<TokenType>(static_cast<int>(type));
    }
    if (*scores != nullptr) scores_[i] = static_cast<float>((*scores)->number(i));
  }
  return ok();
}

Status Vocabulary::read_flags(const ModelFile& file) {
  constexpr std::string_view kKey = "backplane.tokenizer.flags";
  const auto flags = file.numbers(kKey);
  if (!flags) return flags.error();
  if (*flags != nullptr && (*flags)->size() != size()) return file.wrong(kKey, "is damaged");
  if (*flags != nullptr) {
    for (std::size_t i = 0; i < size(); ++i) {
      flags_.push_back(static_cast<std::uint8_t>((*flags)->number(i)));
    }
    return ok();
  }
  // GGUF has no word for it. Phi-3 was made with tokens that take the white space after them.
  const auto name = file.text("general.name");
  std::string lower(name && name->has_value() ? name->value() : std::string_view());
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool is_phi3 = lower.find("phi-3") != lower.npos || lower.find("phi3") != lower.npos;
  if (!is_phi3) return ok();
  flags_.assign(size(), 0);
  for (std::size_t i = 0; i < size(); ++i) {
    const bool special = types_[i] == TokenType::kControl || types_[i] == TokenType::kUserDefined;
    const bool plain = texts_[i] == "<s>" || texts_[i] == "<unk>" || texts_[i] == "<|endoftext|>";
    if (special && !plain) flags_[i] = kTokenStripsRight;
  }
  return ok();
}

Status Vocabulary::read_named(const ModelFile& file) {
  std::optional<Token> eot, eom;
  std::optional<Token> cls, separator;
  const std::pair<const char*, std::optional<Token>*> named[] = {
      {"tokenizer.ggml.cls_token_id", &cls},
      {"tokenizer.ggml.seperator_token_id", &separator},
      {"tokenizer.ggml.bos_token_id", &bos_},
      {"tokenizer.ggml.eos_token_id", &eos_},
      {"tokenizer.ggml.unknown_token_id", &unknown_},
      {"tokenizer.ggml.eot_token_id", &eot},
      {"tokenizer.ggml.eom_token_id", &eom}};
  for (const auto& [key, target] : named) {
    const auto id = file.unsigned_number(key);
    if (!id) return id.error();
    // Converters write -1 for "none".
    if (id->has_value() && **id < size()) *target = static_cast<Token>(**id);
  }
  // How WordPiece's files call the tokens around a text; the spelling is the format's.
  if (!bos_) bos_ = cls;
  if (!eos_) eos_ = separator;
  const auto adds_bos = file.boolean("tokenizer.ggml.add_bos_token");
  if (!adds_bos) return adds_bos.error();
  adds_bos_ = *adds_bos;
  const auto adds_eos = file.boolean("tokenizer.ggml.add_eos_token");
  if (!adds_eos) return adds_eos.error();
  adds_eos_ = *adds_eos;
  ends_.assign(size(), false);
  for (const auto& token : {eos_, eot, eom}) {
    if (token) ends_[index(*token)] = true;
  }
  for (const std::string_view text : kTurnEnds) {
    const auto token = find(text);
    if (token && type(*token) != TokenType::kNormal) ends_[index(*token)] = true;
  }
  return ok();
}

void Vocabulary::index_specials() {
  specials_.resize(256);
  for (std::size_t i = 0; i < size(); ++i) {
    const bool special = types_[i] == TokenType::kControl || types_[i] == TokenType::kUnknown ||
                         types_[i] == TokenType::kUserDefined;
    if (!special || texts_[i].empty()) continue;
    specials_[static_cast<unsigned char>(texts_[i][0])].push_back(static_cast<Token>(i));
  }
  for (auto& tokens : specials_) {
    std::stable_sort(tokens.begin(), tokens.end(),
                     [&](Token a, Token b) { return text(a).size() > text(b).size(); });
  }
}

std::optional<Token> Vocabulary::find(std::string_view text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::optional<Token> Vocabulary::special_prefix(std::string_view text, bool with_control) const {
  for (const Token token : specials_[static_cast<unsigned char>(text[0])]) {
    if (!with_control && type(token) != TokenType::kUserDefined) continue;
    if (text.starts_with(this->text(token))) return token;
  }
  return std::nullopt;
}

bool Vocabulary::begins_control(std::string_view text) const {
  for (const Token token : specials_[static_cast<unsigned char>(text[0])]) {
    const std::string_view name = this->text(token);
    if (type(token) != TokenType::kControl || name == "<think>" || name == "</think>") continue;
    if (text.starts_with(name)) return true;
    // A word that happens to begin like a name stays as it is: templates compare words.
    const char first = static_cast<char>(name[0] | 0x20);
    const bool is_word = first >= 'a' && first <= 'z';
    if (!is_word && name.starts_with(text)) return true;
  }
  return false;
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// A model's tokens and what its file says about them. Points into the ModelFile, which outlives it.
// Immutable; any thread.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

using Token = std::int32_t;

// Numbering of tokenizer.ggml.token_type.
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

inline constexpr std::size_t kVocabularyTokensMax = 1u << 20;

// How a special token is found in a text: with the white space before or after it, and only
// where no word goes on.
inline constexpr std::uint8_t kTokenStripsLeft = 1;
inline constexpr std::uint8_t kTokenStripsRight = 2;
inline constexpr std::uint8_t kTokenSingleWord = 4;

class Vocabulary {
 public:
  static Result<Vocabulary> load(const ModelFile& file);

  std::size_t size() const { return texts_.size(); }
  std::string_view text(Token token) const { return texts_[index(token)]; }
  TokenType type(Token token) const { return types_[index(token)]; }
  std::uint8_t flags(Token token) const { return flags_.empty() ? 0 : flags_[index(token)]; }
  float score(Token token) const { return scores_[index(token)]; }
  std::optional<Token> find(std::string_view text) const;
  // No token stands for more bytes than this.
  std::size_t longest_bytes() const { return longest_bytes_; }

  std::optional<Token> bos() const { return bos_; }
  std::optional<Token> eos() const { return eos_; }
  std::optional<Token> unknown() const { return unknown_; }
  // Tokens after which a model has said what it had to say.
  bool ends_generation(Token token) const { return ends_[index(token)]; }
  // What the file says, if it does.
  std::optional<bool> adds_bos() const { return adds_bos_; }
  std::optional<bool> adds_eos() const { return adds_eos_; }

  // The longest special token `text` begins with. Control tokens count only when `with_control`.
  std::optional<Token> special_prefix(std::string_view text, bool with_control) const;
  // Whether `text` begins with the name of a control token, or is the beginning of one; but for
  // those around reasoning.
  bool begins_control(std::string_view text) const;

 private:
  static std::size_t index(Token token) { return static_cast<std::size_t>(token); }
  Status read_tokens(const ModelFile& file);
  Status read_types(const ModelFile& file);
  Status read_flags(const ModelFile& file);
  Status read_named(const ModelFile& file);
  void index_specials();

  std::vector<std::string_view> texts_;
  std::size_t longest_bytes_ = 1;
  std::vector<TokenType> types_;
  std::vector<float> scores_;
  std::vector<std::uint8_t> flags_;  // kToken...; empty: none
  std::vector<bool> ends_;
  std::unordered_map<std::string_view, Token> ids_;
  std::vector<std::vector<Token>> specials_;  // by first byte, longest first
  std::optional<Token> bos_, eos_, unknown_;
  std::optional<bool> adds_bos_, adds_eos_;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Text to tokens and back, by the rules in a model file: SentencePiece-like ("llama"), byte-level
// BPE ("gpt2") or WordPiece ("bert"). The ModelFile outlives the tokenizer. Immutable; any thread.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/tokenizer/normalizer.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

struct EncodeOptions {
  bool add_special = false;    // begin/end tokens, as the model wants them
  bool parse_special = false;  // "<|im_end|>" in the text is that token, not its letters
  bool drop_marks = false;     // those of literal_text.hpp
};

class Tokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> load(const ModelFile& file);
  virtual ~Tokenizer() = default;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::vector<Token> encode(std::string_view text, EncodeOptions options) const;
  // The bytes a token stands for (a part of a character, perhaps); empty for control tokens.
  std::string piece(Token token) const;

 protected:
  explicit Tokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  // Appends the tokens of normalized text without special tokens. `first`: what begins a text, such
  // as a space, begins this one.
  virtual void encode_plain(std::string_view text, bool first, std::vector<Token>& out) const = 0;
  virtual std::string plain_piece(Token token) const = 0;
  // Whether the token goes before or after a text where the file does not say.
  virtual bool adds_bos() const = 0;
  virtual bool adds_eos() const { return false; }

 private:
  std::optional<Token> special_at(std::string_view text, std::size_t at, bool with_control) const;

  Vocabulary vocabulary_;
  Normalizer normalizer_;
  bool first_once_ = false;  // not again after a special token
};

Result<std::unique_ptr<Tokenizer>> load_spm_tokenizer(const ModelFile& file, Vocabulary vocabulary);
Result<std::unique_ptr<Tokenizer>> load_bpe_tokenizer(const ModelFile& file, Vocabulary vocabulary);
Result<std::unique_ptr<Tokenizer>> load_wpm_tokenizer(const ModelFile& file, Vocabulary vocabulary);

}  // namespace backplane::local

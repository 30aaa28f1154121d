// SPDX-License-Identifier: Apache-2.0
// Splits text into the words byte-pair merges stay inside. Immutable; any thread.
#pragma once

#include <backplane/result.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "plugins/backends/local/tokenizer/word_pattern.hpp"

namespace backplane::local {

class PreTokenizer {
 public:
  // As `tokenizer.ggml.pre` names them; the error names some that are known.
  static Result<PreTokenizer> named(std::string_view name);
  // Patterns applied one after the other, each to the pieces of the one before.
  static Result<PreTokenizer> of(std::span<const std::string_view> patterns, bool whole_words);

  // The pieces, in order; together they are the text. They point into it.
  std::vector<std::string_view> split(std::string_view text) const;
  // Whether a whole word that is a token is taken without looking at merges.
  bool whole_words() const { return whole_words_; }
  // Whether texts begin with the beginning-of-sequence token when the file does not say.
  bool adds_bos() const { return adds_bos_; }

 private:
  std::vector<WordPattern> patterns_;
  bool whole_words_ = false;
  bool adds_bos_ = false;
};

// GPT-2's words, which the byte-level step of a tokenizer.json splits into where it is asked to.
std::string_view gpt2_word_pattern();

}  // namespace backplane::local

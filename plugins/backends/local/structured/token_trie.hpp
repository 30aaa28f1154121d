// SPDX-License-Identifier: Apache-2.0
// A vocabulary by the bytes of its tokens, so that one walk tells which tokens a grammar allows.
// Built once for a model (some 100 ms at 128k tokens); immutable, any thread; outlives the
// constraints that use it. Control tokens stand in it as kControlByte, their text, kControlByte: no
// UTF-8 text holds that byte, so only a marker or free text reaches them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/backends/local/structured/byte_trie.hpp"
#include "plugins/backends/local/structured/string_tokens.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

inline constexpr std::uint8_t kControlByte = 0xff;

class TokenTrie {
 public:
  explicit TokenTrie(const Tokenizer& tokenizer);

  std::size_t vocabulary_size() const { return vocabulary_size_; }
  std::size_t mask_words() const { return (vocabulary_size_ + 63) / 64; }
  // As accept() sees a token; empty for those that no grammar reaches.
  const std::string& bytes(Token token) const { return token_bytes_[index(token)]; }
  bool ends_generation(Token token) const;
  const std::vector<Token>& ending_tokens() const { return ending_; }
  const ByteTrie& tokens() const { return tokens_; }
  // All that are in the trie.
  const TokenMask& every_token() const { return every_token_; }
  const StringTokens& in_strings() const { return in_strings_; }

 private:
  static std::size_t index(Token token) { return static_cast<std::size_t>(token); }

  std::size_t vocabulary_size_ = 0;
  std::vector<std::string> token_bytes_;
  std::vector<Token> ending_;
  ByteTrie tokens_;
  TokenMask every_token_;
  StringTokens in_strings_;
};

}  // namespace backplane::local

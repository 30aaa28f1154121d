// SPDX-License-Identifier: Apache-2.0
// A vocabulary by the bytes of its tokens, so that one walk tells which tokens a grammar allows.
// Built once for a model (some 100 ms at 128k tokens); immutable, any thread; outlives the
// constraints that use it. Control tokens stand in it as kControlByte, their text, kControlByte: no
// UTF-8 text holds that byte, so only a marker or free text reaches them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

inline constexpr std::uint8_t kControlByte = 0xff;

// Byte strings with a number each, as a tree in depth-first order: the nodes below node i are
// i + 1 up to end(i). Node 0 is the root.
class ByteTrie {
 public:
  struct Entry {
    std::string bytes;  // at least one
    std::uint32_t value;
  };
  ByteTrie() : ByteTrie(std::vector<Entry>{}) {}
  explicit ByteTrie(std::vector<Entry> entries);

  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  std::uint8_t byte(std::uint32_t node) const { return bytes_[node]; }
  std::uint32_t depth(std::uint32_t node) const { return depths_[node]; }
  std::uint32_t end(std::uint32_t node) const { return ends_[node]; }
  std::uint32_t depth_max() const { return depth_max_; }
  // The values of the strings that end at a node, and of all at or below it.
  std::span<const std::uint32_t> values(std::uint32_t node) const;
  std::span<const std::uint32_t> values_below(std::uint32_t node) const;

 private:
  void add(const std::string& bytes, std::uint32_t shared);

  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint16_t> depths_;
  std::vector<std::uint32_t> ends_;
  std::vector<std::uint32_t> first_value_;  // one more than there are nodes
  std::vector<std::uint32_t> values_;
  std::uint32_t depth_max_ = 0;
};

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
  // Some token is this byte alone.
  bool has_byte(std::uint8_t byte) const { return has_byte_[byte]; }

 private:
  static std::size_t index(Token token) { return static_cast<std::size_t>(token); }

  std::size_t vocabulary_size_ = 0;
  std::vector<std::string> token_bytes_;
  std::vector<Token> ending_;
  std::vector<bool> has_byte_;
  ByteTrie tokens_;
};

}  // namespace backplane::local

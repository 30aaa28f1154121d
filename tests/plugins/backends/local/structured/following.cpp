// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/structured/following.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "plugins/backends/local/structured/grammar_constraint.hpp"
#include "plugins/backends/local/structured/matcher.hpp"

namespace backplane::local {
namespace {

bool is_allowed(const std::vector<std::uint64_t>& mask, std::size_t token) {
  return (mask[token / 64] >> (token % 64) & 1) != 0;
}

}  // namespace

std::size_t accepted_bytes(const GrammarPointer& grammar, std::string_view text) {
  Matcher matcher(grammar);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!matcher.accept(static_cast<std::uint8_t>(text[i]))) return i;
  }
  return text.size();
}

bool accepts(const GrammarPointer& grammar, std::string_view text) {
  Matcher matcher(grammar);
  for (const char byte : text) {
    if (!matcher.accept(static_cast<std::uint8_t>(byte))) return false;
  }
  return matcher.is_complete();
}

Generator::Generator(const TokenTrie& trie, std::uint32_t seed)
    : trie_(trie), random_(seed), mask_(trie.mask_words()) {
  closing_ = trie.ending_tokens();
  for (std::size_t i = 0; i < trie.vocabulary_size(); ++i) {
    const std::string& bytes = trie.bytes(static_cast<Token>(i));
    const bool closes = !bytes.empty() && bytes.find_first_not_of("\"}]") == std::string::npos;
    if (closes) closing_.push_back(static_cast<Token>(i));
  }
}

// Some allowed token, beginning to look at a random one.
Token Generator::pick(bool closing) {
  for (std::size_t i = 0, start = random_(); closing && i < closing_.size(); ++i) {
    const Token token = closing_[(start + i) % closing_.size()];
    if (is_allowed(mask_, static_cast<std::size_t>(token))) return token;
  }
  const std::size_t size = trie_.vocabulary_size();
  for (std::size_t i = 0, start = random_(); i < size; ++i) {
    const std::size_t place = (start + i) % size;
    if (is_allowed(mask_, place)) return static_cast<Token>(place);
  }
  return -1;
}

Generated Generator::generate(const GrammarPointer& grammar, std::size_t tokens_max) {
  const auto constraint = make_constraint(grammar, trie_);
  Generated out;
  const std::size_t free = random_() % 24;
  for (std::size_t i = 0; i < tokens_max && !out.ended; ++i) {
    mask_.assign(mask_.size(), ~std::uint64_t{0});
    constraint->restrict(mask_);
    const Token token = pick(i >= free);
    EXPECT_GE(token, 0) << "nothing is allowed after " << out.text;
    if (token < 0) return out;
    constraint->accept(token);
    if (!trie_.ends_generation(token)) out.text += trie_.bytes(token);
    out.ended = trie_.ends_generation(token) || constraint->is_over();
  }
  return out;
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Texts and random generations along a grammar.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/token_trie.hpp"

namespace backplane::local {

// The grammar takes the whole text, and may end behind it.
bool accepts(const GrammarPointer& grammar, std::string_view text);
// The bytes of the text that it takes.
std::size_t accepted_bytes(const GrammarPointer& grammar, std::string_view text);

struct Generated {
  std::string text;
  bool ended = false;  // within the tokens given
};
// Picks allowed tokens at random; later ones that close what is open, so that it comes to an end.
// Fails the test where no token is allowed.
class Generator {
 public:
  Generator(const TokenTrie& trie, std::uint32_t seed);
  Generated generate(const GrammarPointer& grammar, std::size_t tokens_max = 400);

 private:
  Token pick(bool closing);
  const TokenTrie& trie_;
  std::mt19937 random_;
  std::vector<Token> closing_;
  std::vector<std::uint64_t> mask_;
};

}  // namespace backplane::local

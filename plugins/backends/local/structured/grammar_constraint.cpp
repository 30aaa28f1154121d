// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/grammar_constraint.hpp"

#include <algorithm>
#include <cassert>

#include "plugins/backends/local/structured/token_masks.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kFramesMax = 1u << 16;

class GrammarConstraint final : public Constraint {
 public:
  GrammarConstraint(GrammarPointer grammar, const TokenTrie& trie)
      : trie_(trie), matcher_(std::move(grammar)), masks_(matcher_, trie) {}

  void restrict(std::span<std::uint64_t> allowed) override {
    assert(allowed.size() >= trie_.mask_words());
    const TokenMask& mask = masks_.of_threads();
    const bool may_end = over_ || matcher_.is_complete();
    bool any = false;
    std::vector<Token> ends;
    for (const Token token : trie_.ending_tokens()) {
      if (may_end && is_set(allowed, token)) ends.push_back(token);
    }
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      allowed[i] &= i < mask.size() && !over_ ? mask[i] : 0;
      any |= allowed[i] != 0;
    }
    for (const Token token : ends) set(allowed, token);
    if (any || !ends.empty()) return;
    for (const Token token : trie_.ending_tokens()) set(allowed, token);
  }

  void accept(Token token) override {
    over_ = over_ || trie_.ends_generation(token);
    if (over_) return;
    for (const char byte : trie_.bytes(token)) {
      const bool taken = matcher_.accept(static_cast<std::uint8_t>(byte));
      assert(taken);
      if (!taken) over_ = true;
    }
    if (matcher_.mark() < kFramesMax) return;
    matcher_.compact();
    masks_.forget();
  }

  bool is_over() const override {
    const Threads& threads = matcher_.threads();
    return over_ || (threads.size() == 1 && threads.front() == kComplete);
  }

 private:
  static bool is_set(std::span<const std::uint64_t> bits, Token token) {
    const auto place = static_cast<std::size_t>(token);
    return (bits[place / 64] >> (place % 64) & 1) != 0;
  }
  static void set(std::span<std::uint64_t> bits, Token token) {
    const auto place = static_cast<std::size_t>(token);
    bits[place / 64] |= std::uint64_t{1} << (place % 64);
  }

  const TokenTrie& trie_;
  Matcher matcher_;
  TokenMasks masks_;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<Constraint> make_constraint(GrammarPointer grammar, const TokenTrie& trie) {
  return std::make_unique<GrammarConstraint>(std::move(grammar), trie);
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// What a vocabulary can do inside a JSON string in which everything may be said: the tokens that
// stay in it, and those that go through its closing quote, by what they say behind it. Immutable;
// any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugins/backends/local/structured/byte_trie.hpp"

namespace backplane::local {

using TokenMask = std::vector<std::uint64_t>;  // bit i % 64 of word i / 64 is token i

inline void set_bit(std::span<std::uint64_t> mask, std::uint32_t token) {
  mask[token / 64] |= std::uint64_t{1} << (token % 64);
}
inline void clear_bit(std::span<std::uint64_t> mask, std::uint32_t token) {
  mask[token / 64] &= ~(std::uint64_t{1} << (token % 64));
}

class StringTokens {
 public:
  struct Exit {
    std::uint32_t token;
    std::uint32_t characters;  // before the quote
  };
  StringTokens() = default;
  StringTokens(const ByteTrie& tokens, std::size_t mask_words);

  // Replaces a mask by the tokens that stay inside and begin at most so many characters.
  void stay_inside(std::uint32_t characters_max, TokenMask& mask) const;
  // The closing quote and what follows it; the values are places in exits().
  const ByteTrie& behind() const { return behind_; }
  const std::vector<Exit>& exits() const { return exits_; }
  std::uint32_t characters_most() const { return characters_most_; }

 private:
  static constexpr std::uint32_t kMasks = 33;
  struct Long {
    std::uint32_t token, characters;
  };

  std::vector<TokenMask> inside_;  // by characters; the last for all
  std::vector<Long> long_;         // of at least kMasks - 1 characters
  ByteTrie behind_;
  std::vector<Exit> exits_;
  std::uint32_t characters_most_ = 0;
};

}  // namespace backplane::local

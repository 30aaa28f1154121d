// SPDX-License-Identifier: Apache-2.0
// The tokens that may come next on the threads of a matcher: a walk over the vocabulary's trie for
// each thread that has not been asked about lately. Inside of strings most of the vocabulary may
// come, and the walk only looks at where that is not so. One thread of the process at a time; the
// matcher and the trie outlive it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "plugins/backends/local/structured/matcher.hpp"
#include "plugins/backends/local/structured/token_trie.hpp"

namespace backplane::local {

class TokenMasks {
 public:
  TokenMasks(Matcher& matcher, const TokenTrie& trie);

  // Of all threads together; until the next call.
  const TokenMask& of_threads();
  // When threads get other numbers.
  void forget() { known_.clear(); }

 private:
  static constexpr std::size_t kKnownMax = 64;
  using StringPlace = Matcher::StringPlace;

  FrameId widest(FrameId thread);
  const TokenMask& of_thread(FrameId thread);
  void find(FrameId thread, TokenMask& mask);
  // The nodes from `node` to `end`, with the threads before the first of them.
  void walk(const ByteTrie& trie, FrameId thread, std::uint32_t node, std::uint32_t end);
  void find_in_free_text(FrameId thread, const Dfa& dfa, TokenMask& mask);
  void add_walk(FrameId thread, std::uint32_t node, std::uint32_t end, TokenMask& mask);
  void find_in_string(FrameId thread, const StringPlace& place, TokenMask& mask);
  DfaState free_state(const StringPlace& place) const;
  void leave_free(FrameId thread, const StringPlace& place, DfaState free, TokenMask& mask);
  template <class Text>
  void walk_string(FrameId thread, const StringPlace& place, const Text& text, DfaState free,
                   TokenMask& mask);

  Matcher& matcher_;
  const TokenTrie& trie_;
  TokenMask all_;
  std::unordered_map<FrameId, TokenMask> known_;
  std::vector<Threads> levels_;       // by depth in the trie
  std::vector<StringState> strings_;  // the same, inside of a string
  std::vector<DfaState> texts_;       // the same, in free text
  std::vector<std::uint32_t> nodes_;  // what a walk has found
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/string_tokens.hpp"

#include <algorithm>

#include "plugins/backends/local/structured/json_string.hpp"

namespace backplane::local {

StringTokens::StringTokens(const ByteTrie& tokens, std::size_t mask_words)
    : inside_(kMasks, TokenMask(mask_words, 0)) {
  const Dfa& dfa = *every_text();
  const JsonString text(dfa, [](DfaState, std::uint32_t) { return true; });
  std::vector<StringState> levels(tokens.depth_max() + 1);
  levels[0] = {dfa.start(), 0, 0};
  std::vector<ByteTrie::Entry> behind;
  for (std::uint32_t node = 1; node < tokens.size();) {
    const std::uint32_t depth = tokens.depth(node);
    const StringState& before = levels[depth - 1];
    if (tokens.byte(node) == '"' && before.escape == 0 && dfa.accepts(before.state)) {
      tokens.each_below(node, [&](std::string_view bytes, std::uint32_t token) {
        behind.push_back({std::string(bytes), static_cast<std::uint32_t>(exits_.size())});
        exits_.push_back({token, before.count});
      });
      node = tokens.end(node);
      continue;
    }
    const auto after = text.step(before, tokens.byte(node));
    if (!after) {
      node = tokens.end(node);
      continue;
    }
    levels[depth] = *after;
    for (const std::uint32_t token : tokens.values(node)) {
      const std::uint32_t count = std::min(after->count, kMasks - 1);
      set_bit(inside_[count], token);
      if (count == kMasks - 1) long_.push_back({token, after->count});
      characters_most_ = std::max(characters_most_, after->count);
    }
    ++node;
  }
  for (std::uint32_t count = 1; count < kMasks; ++count) {
    for (std::size_t i = 0; i < mask_words; ++i) inside_[count][i] |= inside_[count - 1][i];
  }
  behind_ = ByteTrie(std::move(behind));
}

void StringTokens::stay_inside(std::uint32_t characters_max, TokenMask& mask) const {
  mask = inside_[std::min(characters_max, kMasks - 1)];
  if (characters_max < kMasks - 1 || characters_max >= characters_most_) return;
  for (const Long& token : long_) {
    if (token.characters > characters_max) clear_bit(mask, token.token);
  }
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/token_masks.hpp"

#include <algorithm>

namespace backplane::local {

TokenMasks::TokenMasks(Matcher& matcher, const TokenTrie& trie)
    : matcher_(matcher),
      trie_(trie),
      levels_(trie.tokens().depth_max() + 2),
      strings_(trie.tokens().depth_max() + 1),
      texts_(trie.tokens().depth_max() + 1) {}

const TokenMask& TokenMasks::of_threads() {
  all_.assign(trie_.mask_words(), 0);
  for (const FrameId thread : matcher_.threads()) {
    if (thread == kComplete) continue;
    const TokenMask& mask = of_thread(thread);
    for (std::size_t i = 0; i < all_.size(); ++i) all_[i] |= mask[i];
  }
  return all_;
}

// While a bound of a string is further away than any token reaches, it makes no difference.
FrameId TokenMasks::widest(FrameId thread) {
  const StringPlace place = matcher_.string_place(thread);
  if (place.dfa == nullptr || place.dfa != every_text().get()) return thread;
  const std::uint32_t most = trie_.in_strings().characters_most() + 1;
  StringState state = place.state;
  if (state.count < place.min || place.max - state.count < most) return thread;
  state.count = place.min;
  if (place.max - state.count < most) return thread;
  return matcher_.at_string_state(thread, state);
}

const TokenMask& TokenMasks::of_thread(FrameId thread) {
  thread = widest(thread);
  const auto found = known_.find(thread);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kKnownMax) known_.clear();
  TokenMask& mask = known_[thread];
  mask.assign(trie_.mask_words(), 0);
  const std::size_t mark = matcher_.mark();
  find(thread, mask);
  matcher_.release(mark);
  return mask;
}

void TokenMasks::find(FrameId thread, TokenMask& mask) {
  const StringPlace place = matcher_.string_place(thread);
  if (place.dfa != nullptr) return find_in_string(thread, place, mask);
  const Dfa* text = matcher_.free_text(thread);
  if (text != nullptr) return find_in_free_text(thread, *text, mask);
  add_walk(thread, 1, trie_.tokens().size(), mask);
}

// The tokens from `node` to `end` that the thread takes.
void TokenMasks::add_walk(FrameId thread, std::uint32_t node, std::uint32_t end, TokenMask& mask) {
  nodes_.clear();
  walk(trie_.tokens(), thread, node, end);
  for (const std::uint32_t found : nodes_) {
    for (const std::uint32_t token : trie_.tokens().values(found)) set_bit(mask, token);
  }
}

// All tokens, but for what follows a trigger in those that complete one.
void TokenMasks::find_in_free_text(FrameId thread, const Dfa& dfa, TokenMask& mask) {
  const ByteTrie& tokens = trie_.tokens();
  mask = trie_.every_token();
  if (dfa.is_empty()) return;
  std::uint64_t beginnings = 0;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<std::uint8_t>(byte);
    if (dfa.next(dfa.start(), value) != dfa.start()) beginnings |= ByteTrie::byte_bit(value);
  }
  texts_[0] = matcher_.frame(thread).state;
  for (std::uint32_t node = 1; node < tokens.size();) {
    const DfaState before = texts_[tokens.depth(node) - 1];
    const DfaState after = dfa.next(before, tokens.byte(node));
    if (dfa.accepts(after)) {
      const FrameId at = matcher_.at_free_text_state(thread, before);
      for (const std::uint32_t token : tokens.values_below(node)) clear_bit(mask, token);
      add_walk(at, node, tokens.end(node), mask);
      node = tokens.end(node);
    } else if (after == dfa.start() && !tokens.may_hold(node, beginnings)) {
      node = tokens.end(node);
    } else {
      texts_[tokens.depth(node)] = after;
      ++node;
    }
  }
}

void TokenMasks::walk(const ByteTrie& trie, FrameId thread, std::uint32_t node, std::uint32_t end) {
  if (node >= end) return;
  const std::uint32_t base = trie.depth(node);
  levels_[0] = {thread};
  while (node < end) {
    const std::uint32_t depth = trie.depth(node) - base;
    Threads& after = levels_[depth + 1];
    after.clear();
    for (const FrameId before : levels_[depth]) matcher_.step(before, trie.byte(node), after);
    if (after.empty()) {
      node = trie.end(node);
      continue;
    }
    nodes_.push_back(node++);
  }
}

// The free state that most characters lead to; kDead where few lead to any.
DfaState TokenMasks::free_state(const StringPlace& place) const {
  const Dfa& dfa = *place.dfa;
  const DfaState state = place.state.state;
  if (place.state.escape != 0) return Dfa::kDead;
  if (dfa.is_free(state)) return state;
  constexpr std::uint32_t kEnough = 48;
  std::uint32_t alive = 0;
  DfaState found = Dfa::kDead;
  for (std::uint32_t byte = 0x20; byte < 0x7f; ++byte) {
    const DfaState next = dfa.next(state, static_cast<std::uint8_t>(byte));
    alive += next != Dfa::kDead ? 1 : 0;
    if (found == Dfa::kDead && dfa.is_free(next)) found = next;
  }
  if (alive < kEnough) return Dfa::kDead;
  for (DfaState other = 1; found == Dfa::kDead && other < dfa.size(); ++other) {
    if (dfa.is_free(other)) found = other;
  }
  return found;
}

void TokenMasks::find_in_string(FrameId thread, const StringPlace& place, TokenMask& mask) {
  matcher_.with_string(thread, [&](const auto& text) {
    DfaState free = free_state(place);
    // A free state that may not be entered here: of names that are all taken.
    if (free != Dfa::kDead && !text.is_alive(free, place.state.count)) free = Dfa::kDead;
    if (free != Dfa::kDead) leave_free(thread, place, free, mask);
    const bool is_there = free == place.state.state && free != Dfa::kDead;
    if (!is_there) walk_string(thread, place, text, free, mask);
  });
}

// As if the string were in its free state already.
void TokenMasks::leave_free(FrameId thread, const StringPlace& place, DfaState free,
                            TokenMask& mask) {
  const StringTokens& strings = trie_.in_strings();
  const std::uint32_t before = place.state.count;
  const std::uint32_t room = place.max == kRepeatUnbounded ? kRepeatUnbounded : place.max - before;
  strings.stay_inside(room, mask);
  const FrameId through = matcher_.at_string_state(thread, {free, 0, std::max(place.min, before)});
  nodes_.clear();
  walk(strings.behind(), through, 1, strings.behind().size());
  for (const std::uint32_t node : nodes_) {
    for (const std::uint32_t value : strings.behind().values(node)) {
      const StringTokens::Exit& exit = strings.exits()[value];
      const bool is_long = before + exit.characters >= place.min;
      if (is_long && exit.characters <= room) set_bit(mask, exit.token);
    }
  }
}

// Corrects a mask that holds all that may come from `free`, or is empty where that is kDead.
template <class Text>
void TokenMasks::walk_string(FrameId thread, const StringPlace& place, const Text& text,
                             DfaState free, TokenMask& mask) {
  const ByteTrie& tokens = trie_.tokens();
  const auto clear = [&](std::uint32_t node) {
    if (free == Dfa::kDead) return;
    for (const std::uint32_t token : tokens.values_below(node)) clear_bit(mask, token);
  };
  strings_[0] = place.state;
  for (std::uint32_t node = 1; node < tokens.size();) {
    const std::uint32_t depth = tokens.depth(node);
    const StringState& before = strings_[depth - 1];
    const bool is_end = tokens.byte(node) == '"' && before.escape == 0;
    const auto after = is_end ? std::nullopt : text.step(before, tokens.byte(node));
    if (after && free != Dfa::kDead && after->state == free && after->escape == 0) {
      node = tokens.end(node);
      continue;
    }
    if (after) {
      strings_[depth] = *after;
      for (const std::uint32_t token : tokens.values(node)) set_bit(mask, token);
      ++node;
      continue;
    }
    clear(node);
    const std::uint32_t end = tokens.end(node);
    if (is_end) add_walk(matcher_.at_string_state(thread, before), node, end, mask);
    node = end;
  }
}

}  // namespace backplane::local

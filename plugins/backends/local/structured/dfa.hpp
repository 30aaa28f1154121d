// SPDX-License-Identifier: Apache-2.0
// A set of byte strings as a deterministic automaton, each string with a label. From every state
// but kDead some string of the set can be completed. Immutable; any thread.
#pragma once

#include <array>
#include <backplane/result.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace backplane::local {

using DfaState = std::uint32_t;

class Dfa {
 public:
  static constexpr DfaState kDead = 0;
  static constexpr std::uint32_t kNoLabel = 0xffffffff;

  DfaState start() const { return start_; }
  DfaState next(DfaState state, std::uint8_t byte) const {
    return next_[state * classes_ + class_of_[byte]];
  }
  // Of the string that ends here; kNoLabel where none does.
  std::uint32_t label(DfaState state) const { return labels_[state]; }
  bool accepts(DfaState state) const { return labels_[state] != kNoLabel; }
  // A string ends here, and none goes on.
  bool is_final(DfaState state) const { return final_[state]; }
  // Every UTF-8 text may follow, and all of them end with label(state).
  bool is_free(DfaState state) const { return free_[state]; }
  bool is_empty() const { return start_ == kDead; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(labels_.size()); }
  std::size_t bytes() const { return next_.size() * sizeof(DfaState); }
  // The work that it was, in steps of some nanoseconds.
  std::uint64_t cost() const { return cost_; }
  // Bytes of one class lead to the same states everywhere.
  std::uint8_t class_of(std::uint8_t byte) const { return class_of_[byte]; }

 private:
  friend class DfaBuilder;
  void trim();
  void find_free(const Dfa* universe);

  std::array<std::uint8_t, 256> class_of_{};
  std::uint32_t classes_ = 1;
  DfaState start_ = kDead;
  std::uint64_t cost_ = 0;
  std::vector<DfaState> next_{kDead};
  std::vector<std::uint32_t> labels_{kNoLabel};
  std::vector<bool> final_{false}, free_{false};
};

using DfaPointer = std::shared_ptr<const Dfa>;

// The abstract automaton that build_dfa explores: states are words of numbers.
struct DfaSource {
  using State = std::vector<std::uint32_t>;
  std::array<std::uint8_t, 256> class_of;  // bytes that it never tells apart, from 0 on
  State start;
  // The state after a byte; the empty word where nothing can follow.
  std::function<State(const State&, std::uint8_t)> step;
  std::function<std::uint32_t(const State&)> label;
};

// kInvalidArgument ("takes more than N states") beyond the bounds of grammar.hpp.
Result<DfaPointer> build_dfa(const DfaSource& source);
// Bytes by the ranges that begin at `cuts`.
std::array<std::uint8_t, 256> byte_classes(const std::vector<bool>& cuts);

// All valid UTF-8 texts, labelled 0.
const DfaPointer& every_text();
// Each of these strings, labelled with its place in the list.
Result<DfaPointer> dfa_of_strings(const std::vector<std::string>& strings);
// Runs the parts side by side; the label of a string follows from the parts' states behind it
// (kDead where a part cannot go on). Nothing goes on where `universe`, a part's place, is dead.
using CombinedLabel = std::function<std::uint32_t(std::span<const DfaState>)>;
Result<DfaPointer> combine(const std::vector<DfaPointer>& parts, std::size_t universe,
                           const CombinedLabel& label);
// What all parts accept, labelled 0.
Result<DfaPointer> intersect(const std::vector<DfaPointer>& parts);
// The texts that `part` does not accept.
Result<DfaPointer> complement(const DfaPointer& part);

}  // namespace backplane::local

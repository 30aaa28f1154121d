// SPDX-License-Identifier: Apache-2.0
// Regular expressions (ECMA-262's syntax, as JSON Schema has it) to automata over UTF-8: classes,
// \d \w \s, groups, alternation, quantifiers, anchors. Look-around, back references, \b and \p are
// refused by name.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/backends/local/structured/dfa.hpp"

namespace backplane::local {

inline constexpr std::size_t kPatternBytesMax = 16 * 1024;
inline constexpr std::size_t kPatternDepthMax = 64;
inline constexpr std::size_t kNfaStatesMax = 200'000;
inline constexpr std::uint64_t kNfaStepsMax = 20'000'000;  // of one determinisation

using CodePoints = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // ranges, both ends in

// A nondeterministic automaton over bytes, with the two anchors as edges.
class Nfa {
 public:
  using State = std::uint32_t;
  State start = 0, accept = 0;

  State add_state();
  void add_edge(State from, State to) { edges_[from].empty.push_back(to); }
  void add_begin_edge(State from, State to) { edges_[from].at_begin.push_back(to); }
  void add_end_edge(State from, State to) { edges_[from].at_end.push_back(to); }
  // One character of the class between two states.
  void add_class(const CodePoints& ranges, State from, State to);
  std::size_t size() const { return edges_.size(); }

  // Points into this NFA, which outlives it. Its state is empty once the steps are used up; see
  // is_exhausted.
  DfaSource source() const;
  bool is_exhausted() const { return steps_ > kNfaStepsMax; }

 private:
  struct Edges {
    struct Range {
      std::uint8_t low, high;
      State to;
    };
    std::vector<Range> ranges;
    std::vector<State> empty, at_begin, at_end;
  };
  DfaSource::State close(std::vector<State> open, bool at_begin, bool at_end) const;

  std::vector<Edges> edges_;
  mutable std::uint64_t steps_ = 0;
  mutable std::vector<std::uint32_t> marks_;
  mutable std::uint32_t mark_ = 0;
};

// The texts in which the expression matches somewhere, as `pattern` means it.
Result<DfaPointer> dfa_of_search(std::string_view pattern);
// The texts that it matches whole.
Result<DfaPointer> dfa_of_match(std::string_view pattern);
// The texts of so many characters.
Result<DfaPointer> dfa_of_length(std::uint32_t min, std::uint32_t max);

}  // namespace backplane::local

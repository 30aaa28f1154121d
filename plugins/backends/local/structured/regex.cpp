// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/regex.hpp"

#include <string>

#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/regex_parser.hpp"

namespace backplane::local {
namespace {

const CodePoints kAny{{0, 0x10ffff}};

// Thompson's construction, from a state to the state that comes back.
class NfaWriter {
 public:
  explicit NfaWriter(Nfa& nfa) : nfa_(nfa) {}
  bool is_full() const { return nfa_.size() > kNfaStatesMax; }

  Nfa::State write(const RegexTree& tree, Nfa::State from) {
    switch (tree.kind) {
      case RegexTree::Kind::kClass:
        return write_class(tree.ranges, from);
      case RegexTree::Kind::kSequence:
        for (const RegexTree& child : tree.children) from = write(child, from);
        return from;
      case RegexTree::Kind::kChoice:
        return write_choice(tree, from);
      case RegexTree::Kind::kRepeat:
        return write_repeat(tree, from);
      case RegexTree::Kind::kBegin:
        return write_anchor(&Nfa::add_begin_edge, from);
      case RegexTree::Kind::kEnd:
        return write_anchor(&Nfa::add_end_edge, from);
    }
    return from;
  }

 private:
  Nfa::State write_class(const CodePoints& ranges, Nfa::State from) {
    const Nfa::State to = nfa_.add_state();
    nfa_.add_class(ranges, from, to);
    return to;
  }
  Nfa::State write_anchor(void (Nfa::*add)(Nfa::State, Nfa::State), Nfa::State from) {
    const Nfa::State to = nfa_.add_state();
    (nfa_.*add)(from, to);
    return to;
  }
  Nfa::State write_choice(const RegexTree& tree, Nfa::State from) {
    const Nfa::State to = nfa_.add_state();
    for (const RegexTree& child : tree.children) {
      const Nfa::State begin = nfa_.add_state();
      nfa_.add_edge(from, begin);
      nfa_.add_edge(write(child, begin), to);
    }
    return to;
  }
  Nfa::State write_repeat(const RegexTree& tree, Nfa::State from) {
    for (std::uint32_t i = 0; i < tree.min && !is_full(); ++i) {
      const Nfa::State begin = nfa_.add_state();  // what is repeated may be empty: count it
      nfa_.add_edge(from, begin);
      from = write(tree.children[0], begin);
    }
    const Nfa::State end = nfa_.add_state();
    if (tree.max == kRepeatUnbounded) {
      const Nfa::State loop = nfa_.add_state();
      nfa_.add_edge(from, loop);
      nfa_.add_edge(write(tree.children[0], loop), loop);
      nfa_.add_edge(loop, end);
      return end;
    }
    nfa_.add_edge(from, end);
    for (std::uint32_t i = tree.min; i < tree.max && !is_full(); ++i) {
      const Nfa::State begin = nfa_.add_state();
      nfa_.add_edge(from, begin);
      from = write(tree.children[0], begin);
      nfa_.add_edge(from, end);
    }
    return end;
  }

  Nfa& nfa_;
};

Result<DfaPointer> determinise(const RegexTree& tree, bool whole) {
  Nfa nfa;
  NfaWriter writer(nfa);
  nfa.start = nfa.add_state();
  Nfa::State begin = nfa.add_state();
  if (whole) {
    nfa.add_begin_edge(nfa.start, begin);
  } else {
    nfa.add_class(kAny, nfa.start, nfa.start);
    nfa.add_edge(nfa.start, begin);
  }
  const Nfa::State end = writer.write(tree, begin);
  nfa.accept = nfa.add_state();
  if (whole) {
    nfa.add_end_edge(end, nfa.accept);
  } else {
    nfa.add_edge(end, nfa.accept);
    // What was found before the end of the text stays found, whatever follows.
    const Nfa::State rest = nfa.add_state();
    nfa.add_edge(end, rest);
    nfa.add_class(kAny, rest, rest);
    nfa.add_edge(rest, nfa.accept);
  }
  if (writer.is_full())
    return invalid_argument("is too large when its repetitions are written out");
  auto dfa = build_dfa(nfa.source());
  if (nfa.is_exhausted()) return invalid_argument("is too complex");
  return dfa;
}

}  // namespace

Result<DfaPointer> dfa_of_search(std::string_view pattern) {
  auto tree = parse_regex(pattern);
  if (!tree) return tree.error();
  return determinise(*tree, false);
}

Result<DfaPointer> dfa_of_match(std::string_view pattern) {
  auto tree = parse_regex(pattern);
  if (!tree) return tree.error();
  return determinise(*tree, true);
}

Result<DfaPointer> dfa_of_length(std::uint32_t min, std::uint32_t max) {
  RegexTree any{RegexTree::Kind::kClass, kAny, {}, 0, 0};
  RegexTree repeat{RegexTree::Kind::kRepeat, {}, {std::move(any)}, min, max};
  return determinise(repeat, true);
}

}  // namespace backplane::local

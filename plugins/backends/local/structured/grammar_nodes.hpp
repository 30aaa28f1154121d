// SPDX-License-Identifier: Apache-2.0
// What a grammar is made of: a table of nodes that name each other by their place in it. Recursive
// schemas are cycles in the table. Immutable once finished; any thread.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "plugins/backends/local/structured/dfa.hpp"
#include "plugins/backends/local/structured/grammar.hpp"

namespace backplane::local {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffff;

// These bytes.
struct TextNode {
  DfaPointer dfa;
};
// A JSON string whose characters, escapes resolved, the automaton accepts: `min` of them, which
// is 0 but for every_text(), to `max`.
struct StringNode {
  DfaPointer dfa;
  std::uint32_t min = 0, max = kRepeatUnbounded;
  // Characters that it takes from a state to the end of a string; empty where max is no bound.
  std::vector<std::uint32_t> distance = {};
};
// One of several JSON values.
struct ValueNode {
  std::vector<NodeId> options;
};
// Item i is first[i], those behind are `rest`.
struct ArrayNode {
  std::vector<NodeId> first;
  NodeId rest = kNoNode;
  std::uint32_t min = 0, max = kRepeatUnbounded;

  NodeId item(std::uint32_t index) const { return index < first.size() ? first[index] : rest; }
};
// Names in any order. A label of `names` is the place of the name's value in `values`: those below
// `declared` are single names, each at most once; the others are sets of names.
struct ObjectNode {
  DfaPointer names;
  std::vector<NodeId> values;  // kNoNode: not allowed
  std::uint32_t declared = 0;
  std::vector<std::uint64_t> required;  // bits of declared names
  std::uint32_t required_count = 0;
  std::uint32_t min = 0, max = kRepeatUnbounded;
  // By state of `names`: the declared names that may yet come of it, and whether others may.
  std::vector<std::uint64_t> reach;
  std::vector<bool> reaches_open;

  std::size_t words() const { return (declared + 63) / 64; }
  bool is_declared(std::uint32_t label) const { return label < declared; }
};
struct SequenceNode {
  std::vector<NodeId> parts;
};
struct ChoiceNode {
  std::vector<NodeId> options;
};
struct RepeatNode {
  NodeId part;
  std::uint32_t min, max;
};
// Free text; a label of the automaton is a trigger that is complete.
struct FreeTextNode {
  DfaPointer dfa;  // accepts all texts that end with a trigger for the first time
  std::vector<NodeId> then;
  bool may_end;
};

using Node = std::variant<TextNode, StringNode, ValueNode, ArrayNode, ObjectNode, SequenceNode,
                          ChoiceNode, RepeatNode, FreeTextNode>;

class Grammar {
 public:
  Grammar(std::vector<Node> nodes, NodeId root) : nodes_(std::move(nodes)), root_(root) {}
  const Node& node(NodeId id) const { return nodes_[id]; }
  const std::vector<Node>& nodes() const { return nodes_; }
  NodeId root() const { return root_; }

 private:
  std::vector<Node> nodes_;
  NodeId root_;
};

// Takes out what no text can satisfy, so that from every place that is left some text can be
// completed, and works out what the nodes keep about themselves. False where nothing is left.
bool finish_nodes(std::vector<Node>& nodes, NodeId root);

}  // namespace backplane::local

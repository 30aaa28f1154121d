// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/grammar.hpp"

#include <cassert>
#include <map>

#include "plugins/backends/local/structured/grammar_nodes.hpp"
#include "plugins/backends/local/structured/regex.hpp"
#include "plugins/backends/local/structured/token_trie.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kLiteralPieceBytes = 1024;

// Moves the names of nodes to where the nodes are now.
class Shift {
 public:
  explicit Shift(NodeId by) : by_(by) {}
  void operator()(TextNode&) const {}
  void operator()(StringNode&) const {}
  void operator()(ValueNode& node) const { move(node.options); }
  void operator()(ArrayNode& node) const {
    move(node.first);
    move(node.rest);
  }
  void operator()(ObjectNode& node) const { move(node.values); }
  void operator()(SequenceNode& node) const { move(node.parts); }
  void operator()(ChoiceNode& node) const { move(node.options); }
  void operator()(RepeatNode& node) const { move(node.part); }
  void operator()(FreeTextNode& node) const { move(node.then); }

 private:
  void move(NodeId& id) const { id = id == kNoNode ? id : id + by_; }
  void move(std::vector<NodeId>& ids) const {
    for (NodeId& id : ids) move(id);
  }
  NodeId by_;
};

NodeId append(const Grammar& grammar, std::vector<Node>& nodes) {
  const auto by = static_cast<NodeId>(nodes.size());
  for (Node node : grammar.nodes()) {
    std::visit(Shift(by), node);
    nodes.push_back(std::move(node));
  }
  return grammar.root() + by;
}

GrammarPointer finish(std::vector<Node> nodes, Node root) {
  nodes.push_back(std::move(root));
  const auto id = static_cast<NodeId>(nodes.size() - 1);
  return std::make_shared<Grammar>(std::move(nodes), id);
}

std::vector<NodeId> append_all(const std::vector<GrammarPointer>& parts, std::vector<Node>& nodes) {
  std::vector<NodeId> ids;
  for (const GrammarPointer& part : parts) ids.push_back(append(*part, nodes));
  return ids;
}

std::string as_control(std::string_view text) {
  const char mark = static_cast<char>(kControlByte);
  return mark + std::string(text) + mark;
}

// How much of `text`, whose last characters may begin the trigger, is that beginning (Knuth,
// Morris, Pratt 1977), for all triggers at once (Aho, Corasick 1975).
class TriggerSource {
 public:
  explicit TriggerSource(const std::vector<Trigger>& triggers) {
    add_node(0);
    for (std::uint32_t i = 0; i < triggers.size(); ++i) {
      assert(!triggers[i].text.empty() && triggers[i].text.size() <= kMarkerBytesMax);
      insert(triggers[i].text, i);
      insert(as_control(triggers[i].text), i);
    }
    link();
  }

  DfaSource source() const {
    std::vector<bool> cuts(257, false);
    for (const auto& node : nodes_) {
      for (const auto& [byte, child] : node.children) cuts[byte] = cuts[byte + 1u] = true;
    }
    using State = DfaSource::State;
    return {byte_classes(cuts),
            {0},
            [this](const State& state, std::uint8_t byte) {
              if (nodes_[state[0]].label != Dfa::kNoLabel) return State{};
              return State{next(state[0], byte)};
            },
            [this](const State& state) { return nodes_[state[0]].label; }};
  }

 private:
  struct TrieNode {
    std::map<std::uint8_t, std::uint32_t> children;
    std::uint32_t fallback = 0;
    std::uint32_t label = Dfa::kNoLabel;
    std::uint32_t parent = 0;
    std::uint8_t byte = 0;
  };
  std::uint32_t add_node(std::uint32_t parent) {
    nodes_.emplace_back().parent = parent;
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }
  void insert(std::string_view text, std::uint32_t label) {
    std::uint32_t node = 0;
    for (const char character : text) {
      const auto byte = static_cast<std::uint8_t>(character);
      const auto found = nodes_[node].children.find(byte);
      if (found != nodes_[node].children.end()) {
        node = found->second;
        continue;
      }
      const std::uint32_t child = add_node(node);
      nodes_[node].children[byte] = child;
      nodes_[child].byte = byte;
      node = child;
    }
    nodes_[node].label = std::min(nodes_[node].label, label);
  }
  // Breadth first: a fallback is nearer to the root.
  void link() {
    std::vector<std::uint32_t> order{0};
    for (std::size_t i = 0; i < order.size(); ++i) {
      TrieNode& node = nodes_[order[i]];
      if (order[i] != 0 && node.parent != 0) {
        node.fallback = next(nodes_[node.parent].fallback, node.byte);
      }
      node.label = std::min(node.label, nodes_[node.fallback].label);
      for (const auto& [byte, child] : node.children) order.push_back(child);
    }
  }
  std::uint32_t next(std::uint32_t node, std::uint8_t byte) const {
    for (;; node = nodes_[node].fallback) {
      const auto found = nodes_[node].children.find(byte);
      if (found != nodes_[node].children.end()) return found->second;
      if (node == 0) return 0;
    }
  }

  std::vector<TrieNode> nodes_;
};

}  // namespace

GrammarPointer any_json_object() {
  static const GrammarPointer grammar = [] {
    SchemaOptions options;
    options.object_only = true;
    return *compile_json_schema("true", options);
  }();
  return grammar;
}

GrammarPointer literal(std::string_view text) {
  if (text.empty() || text.size() > kLiteralPieceBytes) {
    std::vector<GrammarPointer> pieces;
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), kLiteralPieceBytes))) {
      pieces.push_back(literal(text.substr(0, kLiteralPieceBytes)));
    }
    return sequence(pieces);
  }
  auto dfa = dfa_of_strings({std::string(text)});
  assert(dfa);
  return finish({}, TextNode{std::move(*dfa)});
}

GrammarPointer marker(std::string_view text) {
  assert(!text.empty() && text.size() <= kMarkerBytesMax);
  auto dfa = dfa_of_strings({std::string(text), as_control(text)});
  assert(dfa);
  return finish({}, TextNode{std::move(*dfa)});
}

Result<GrammarPointer> matching(std::string_view pattern, std::string_view place) {
  auto dfa = dfa_of_match(pattern);
  if (!dfa) return invalid_argument(std::string(place) + ": the pattern " + dfa.error().message);
  if ((*dfa)->is_empty()) return invalid_argument(std::string(place) + ": nothing matches it");
  return finish({}, TextNode{std::move(*dfa)});
}

GrammarPointer choice(const std::vector<GrammarPointer>& options) {
  assert(!options.empty());
  std::vector<Node> nodes;
  ChoiceNode node{append_all(options, nodes)};
  return finish(std::move(nodes), std::move(node));
}

GrammarPointer sequence(const std::vector<GrammarPointer>& parts) {
  std::vector<Node> nodes;
  SequenceNode node{append_all(parts, nodes)};
  return finish(std::move(nodes), std::move(node));
}

GrammarPointer repeat(const GrammarPointer& part, std::uint32_t min, std::uint32_t max) {
  assert(max >= 1 && min <= max);
  std::vector<Node> nodes;
  const RepeatNode node{append(*part, nodes), min, max};
  return finish(std::move(nodes), node);
}

GrammarPointer free_text(const std::vector<Trigger>& triggers, bool may_end) {
  assert(may_end || !triggers.empty());
  std::vector<Node> nodes;
  FreeTextNode node{nullptr, {}, may_end};
  for (const Trigger& trigger : triggers) node.then.push_back(append(*trigger.then, nodes));
  const TriggerSource source(triggers);
  auto dfa = build_dfa(source.source());
  assert(dfa);
  node.dfa = std::move(*dfa);
  return finish(std::move(nodes), std::move(node));
}

}  // namespace backplane::local

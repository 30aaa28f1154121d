// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/grammar_nodes.hpp"

#include <algorithm>

namespace backplane::local {
namespace {

// Which nodes some text satisfies: the least set that agrees with itself, so that what needs an
// endless value is not in it.
class Satisfiable {
 public:
  explicit Satisfiable(const std::vector<Node>& nodes) : holds_(nodes.size()) {
    bool changed = true;
    while (changed) {
      changed = false;
      for (NodeId id = static_cast<NodeId>(nodes.size()); id-- > 0;) {
        if (holds_[id] ||
            !std::visit([this](const auto& node) { return check(node); }, nodes[id])) {
          continue;
        }
        holds_[id] = changed = true;
      }
    }
  }
  bool operator()(NodeId id) const { return id != kNoNode && holds_[id]; }

  // Items from `max_items` on cannot be.
  std::uint32_t max_items(const ArrayNode& array) const {
    const auto first = static_cast<std::uint32_t>(array.first.size());
    for (std::uint32_t i = 0; i < first && i < array.max; ++i) {
      if (!(*this)(array.first[i])) return i;
    }
    return (*this)(array.rest) ? array.max : std::min(array.max, first);
  }

 private:
  bool check(const TextNode& node) const { return !node.dfa->is_empty(); }
  bool check(const StringNode& node) const {
    if (node.dfa->is_empty() || node.min > node.max) return false;
    return node.distance.empty() || node.distance[node.dfa->start()] <= node.max;
  }
  bool check(const ValueNode& node) const { return any(node.options); }
  bool check(const ArrayNode& node) const { return max_items(node) >= node.min; }
  bool check(const ObjectNode& node) const {
    if (node.required_count > node.max || node.min > node.max) return false;
    std::uint32_t declared = 0;
    for (std::uint32_t i = 0; i < node.declared; ++i) {
      const bool is_required = (node.required[i / 64] >> (i % 64) & 1) != 0;
      if ((*this)(node.values[i])) {
        ++declared;
      } else if (is_required) {
        return false;
      }
    }
    const bool open = std::any_of(node.values.begin() + node.declared, node.values.end(), *this);
    return open || declared >= node.min;
  }
  bool check(const SequenceNode& node) const {
    return std::all_of(node.parts.begin(), node.parts.end(), *this);
  }
  bool check(const ChoiceNode& node) const { return any(node.options); }
  bool check(const RepeatNode& node) const { return node.min == 0 || (*this)(node.part); }
  bool check(const FreeTextNode& node) const { return node.may_end || any(node.then); }
  bool any(const std::vector<NodeId>& ids) const {
    return std::any_of(ids.begin(), ids.end(), *this);
  }

  std::vector<bool> holds_;
};

void find_reach(ObjectNode& object) {
  const Dfa& names = *object.names;
  const std::size_t words = object.words();
  std::vector<std::vector<DfaState>> before(names.size());
  std::vector<DfaState> open;
  object.reach.assign(names.size() * words, 0);
  object.reaches_open.assign(names.size(), false);
  for (DfaState state = 1; state < names.size(); ++state) {
    DfaState last = Dfa::kDead;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const DfaState next = names.next(state, static_cast<std::uint8_t>(byte));
      if (next != Dfa::kDead && next != last) before[last = next].push_back(state);
    }
    const std::uint32_t label = names.label(state);
    if (label == Dfa::kNoLabel || object.values[label] == kNoNode) continue;
    if (object.is_declared(label)) {
      object.reach[state * words + label / 64] |= std::uint64_t{1} << (label % 64);
    } else {
      object.reaches_open[state] = true;
    }
    open.push_back(state);
  }
  while (!open.empty()) {
    const DfaState state = open.back();
    open.pop_back();
    for (const DfaState source : before[state]) {
      bool grew = object.reaches_open[state] && !object.reaches_open[source];
      if (grew) object.reaches_open[source] = true;
      for (std::size_t word = 0; word < words; ++word) {
        std::uint64_t& mine = object.reach[source * words + word];
        const std::uint64_t both = mine | object.reach[state * words + word];
        grew |= both != mine;
        mine = both;
      }
      if (grew) open.push_back(source);
    }
  }
}

class Pruner {
 public:
  explicit Pruner(const Satisfiable& satisfiable) : satisfiable_(satisfiable) {}
  void operator()(TextNode&) const {}
  void operator()(StringNode&) const {}
  void operator()(ValueNode& node) const { prune(node.options); }
  void operator()(ArrayNode& node) const {
    node.max = satisfiable_.max_items(node);
    if (node.first.size() > node.max) node.first.resize(node.max);
  }
  void operator()(ObjectNode& node) const {
    for (NodeId& value : node.values) value = satisfiable_(value) ? value : kNoNode;
    find_reach(node);
  }
  void operator()(SequenceNode&) const {}
  void operator()(ChoiceNode& node) const { prune(node.options); }
  void operator()(RepeatNode& node) const {
    if (!satisfiable_(node.part)) node.max = 0;
  }
  void operator()(FreeTextNode&) const {}

 private:
  void prune(std::vector<NodeId>& ids) const {
    std::erase_if(ids, [this](NodeId id) { return !satisfiable_(id); });
  }
  const Satisfiable& satisfiable_;
};

}  // namespace

bool finish_nodes(std::vector<Node>& nodes, NodeId root) {
  const Satisfiable satisfiable(nodes);
  for (NodeId id = 0; id < nodes.size(); ++id) {
    if (satisfiable(id)) std::visit(Pruner(satisfiable), nodes[id]);
  }
  return satisfiable(root);
}

}  // namespace backplane::local

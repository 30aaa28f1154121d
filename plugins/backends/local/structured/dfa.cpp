// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/dfa.hpp"

#include <map>
#include <set>
#include <unordered_map>

#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/regex.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kTableBytesMax = 16u << 20;

struct StateHash {
  std::size_t operator()(const DfaSource::State& state) const {
    std::size_t hash = 0xcbf29ce484222325u;
    for (const std::uint32_t word : state) hash = (hash ^ word) * 0x100000001b3u;
    return hash ^ (hash >> 29);
  }
};

std::uint32_t count_of(const std::array<std::uint8_t, 256>& class_of) {
  std::uint32_t most = 0;
  for (const std::uint8_t member : class_of) most = std::max<std::uint32_t>(most, member);
  return most + 1;
}

Error too_large() {
  return invalid_argument("takes more than " + std::to_string(kAutomatonStatesMax) + " states");
}

}  // namespace

class DfaBuilder {
 public:
  explicit DfaBuilder(const DfaSource& source) : source_(source) {
    dfa_->class_of_ = source.class_of;
    dfa_->classes_ = count_of(source.class_of);
    dfa_->next_.assign(dfa_->classes_, Dfa::kDead);
    bytes_.resize(dfa_->classes_);
    for (std::uint32_t byte = 256; byte-- > 0;) {
      bytes_[source.class_of[byte]] = static_cast<std::uint8_t>(byte);
    }
  }

  Result<DfaPointer> build(const Dfa* universe) {
    dfa_->start_ = number(source_.start);
    for (DfaState state = 1; state < dfa_->labels_.size(); ++state) {
      if (!fits()) return too_large();
      for (std::uint32_t member = 0; member < dfa_->classes_; ++member) {
        dfa_->cost_ += 1 + states_[state - 1]->size();
        const DfaState target = number(source_.step(*states_[state - 1], bytes_[member]));
        dfa_->next_[state * dfa_->classes_ + member] = target;
      }
    }
    dfa_->trim();
    dfa_->find_free(universe);
    return DfaPointer(dfa_);
  }

 private:
  bool fits() const {
    return dfa_->labels_.size() <= kAutomatonStatesMax && dfa_->bytes() <= kTableBytesMax &&
           dfa_->cost_ <= kAutomatonCostMax;
  }
  DfaState number(const DfaSource::State& state) {
    if (state.empty()) return Dfa::kDead;
    const auto next = static_cast<DfaState>(dfa_->labels_.size());
    const auto [entry, is_new] = numbers_.try_emplace(state, next);
    if (!is_new) return entry->second;
    states_.push_back(&entry->first);
    dfa_->labels_.push_back(source_.label(state));
    dfa_->next_.resize(dfa_->next_.size() + dfa_->classes_, Dfa::kDead);
    return next;
  }

  const DfaSource& source_;
  std::shared_ptr<Dfa> dfa_ = std::make_shared<Dfa>();
  std::vector<std::uint8_t> bytes_;  // one of each class
  std::unordered_map<DfaSource::State, DfaState, StateHash> numbers_;
  std::vector<const DfaSource::State*> states_;
};

// Leaves the states from which a string can be completed, kDead first.
void Dfa::trim() {
  const std::uint32_t size = this->size();
  std::vector<std::vector<DfaState>> before(size);
  for (DfaState state = 1; state < size; ++state) {
    for (std::uint32_t i = 0; i < classes_; ++i) {
      const DfaState target = next_[state * classes_ + i];
      if (target != kDead && (before[target].empty() || before[target].back() != state)) {
        before[target].push_back(state);
      }
    }
  }
  std::vector<DfaState> renamed(size, kDead), open;
  for (DfaState state = 1; state < size; ++state) {
    if (labels_[state] != kNoLabel) open.push_back(state), renamed[state] = 1;
  }
  while (!open.empty()) {
    const DfaState state = open.back();
    open.pop_back();
    for (const DfaState source : before[state]) {
      if (renamed[source] == kDead) open.push_back(source), renamed[source] = 1;
    }
  }
  DfaState count = 0;
  for (DfaState& name : renamed) name = name == kDead ? kDead : ++count;
  std::vector<DfaState> next(std::size_t{count + 1} * classes_, kDead);
  std::vector<std::uint32_t> labels(count + 1, kNoLabel);
  final_.assign(count + 1, false);
  for (DfaState state = 1; state < size; ++state) {
    const DfaState name = renamed[state];
    if (name == kDead) continue;
    labels[name] = labels_[state];
    bool ends = labels_[state] != kNoLabel;
    for (std::uint32_t i = 0; i < classes_; ++i) {
      const DfaState target = renamed[next_[state * classes_ + i]];
      next[name * classes_ + i] = target;
      if (target != kDead) ends = false;
    }
    final_[name] = ends;
  }
  start_ = renamed[start_];
  next_ = std::move(next);
  labels_ = std::move(labels);
}

// A state is free when it and the universe, from its start on, always accept alike.
void Dfa::find_free(const Dfa* universe) {
  free_.assign(size(), false);
  if (universe == nullptr) return;
  constexpr std::size_t kPairsMax = 64;
  for (DfaState state = 1; state < size(); ++state) {
    const std::uint32_t label = labels_[state];
    if (label == kNoLabel || labels_[next(state, 'a')] != label) continue;
    std::set<std::pair<DfaState, DfaState>> seen{{state, universe->start()}};
    std::vector<std::pair<DfaState, DfaState>> open(seen.begin(), seen.end());
    bool alike = true;
    while (alike && !open.empty() && seen.size() < kPairsMax) {
      const auto [mine, theirs] = open.back();
      open.pop_back();
      alike = universe->accepts(theirs) ? labels_[mine] == label : labels_[mine] == kNoLabel;
      for (std::uint32_t byte = 0; alike && byte < 256; ++byte) {
        const auto value = static_cast<std::uint8_t>(byte);
        const std::pair pair(next(mine, value), universe->next(theirs, value));
        alike = (pair.first == kDead) == (pair.second == kDead);
        if (pair.first != kDead && seen.insert(pair).second) open.push_back(pair);
      }
    }
    free_[state] = alike && open.empty();
  }
}

Result<DfaPointer> build_dfa(const DfaSource& source) {
  static const Dfa* const universe = every_text().get();
  return DfaBuilder(source).build(universe);
}

std::array<std::uint8_t, 256> byte_classes(const std::vector<bool>& cuts) {
  std::array<std::uint8_t, 256> class_of{};
  std::uint8_t current = 0;
  for (std::size_t byte = 1; byte < 256; ++byte) {
    if (cuts[byte]) ++current;
    class_of[byte] = current;
  }
  return class_of;
}

const DfaPointer& every_text() {
  static const DfaPointer dfa = [] {
    Nfa nfa;
    const auto start = nfa.add_state();
    nfa.add_class({{0, 0x10ffff}}, start, start);
    nfa.start = nfa.accept = start;
    const DfaSource source = nfa.source();
    // The universe is what free states are compared with; its own are set by the comparison.
    const DfaPointer bare = *DfaBuilder(source).build(nullptr);
    return *DfaBuilder(source).build(bare.get());
  }();
  return dfa;
}

Result<DfaPointer> dfa_of_strings(const std::vector<std::string>& strings) {
  std::vector<std::map<std::uint8_t, std::uint32_t>> nodes(1);
  std::vector<std::uint32_t> labels{Dfa::kNoLabel};
  std::vector<bool> cuts(257, false);
  for (std::uint32_t i = 0; i < strings.size(); ++i) {
    std::uint32_t node = 0;
    for (const char character : strings[i]) {
      const auto byte = static_cast<std::uint8_t>(character);
      cuts[byte] = cuts[byte + 1u] = true;
      const auto fresh = static_cast<std::uint32_t>(nodes.size());
      const auto [entry, is_new] = nodes[node].try_emplace(byte, fresh);
      node = entry->second;
      if (!is_new) continue;
      if (nodes.size() > kAutomatonStatesMax) return too_large();
      nodes.emplace_back();
      labels.push_back(Dfa::kNoLabel);
    }
    if (labels[node] == Dfa::kNoLabel) labels[node] = i;
  }
  using State = DfaSource::State;
  return build_dfa({byte_classes(cuts),
                    {0},
                    [&nodes](const State& state, std::uint8_t byte) {
                      const auto found = nodes[state[0]].find(byte);
                      return found == nodes[state[0]].end() ? State{} : State{found->second};
                    },
                    [&labels](const State& state) { return labels[state[0]]; }});
}

Result<DfaPointer> combine(const std::vector<DfaPointer>& parts, std::size_t universe,
                           const CombinedLabel& label) {
  std::array<std::uint8_t, 256> class_of{};
  std::map<std::vector<std::uint32_t>, std::uint8_t> classes;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::vector<std::uint32_t> key;
    for (const DfaPointer& part : parts)
      key.push_back(part->class_of(static_cast<std::uint8_t>(byte)));
    const auto fresh = static_cast<std::uint8_t>(classes.size());
    class_of[byte] = classes.try_emplace(std::move(key), fresh).first->second;
  }
  using State = DfaSource::State;
  State start;
  for (const DfaPointer& part : parts) start.push_back(part->start());
  if (start[universe] == Dfa::kDead) start.clear();
  return build_dfa({class_of, start,
                    [&](const State& state, std::uint8_t byte) {
                      State after(state.size());
                      for (std::size_t i = 0; i < parts.size(); ++i) {
                        after[i] = parts[i]->next(state[i], byte);
                      }
                      return after[universe] == Dfa::kDead ? State{} : after;
                    },
                    [&](const State& state) { return label(state); }});
}

Result<DfaPointer> intersect(const std::vector<DfaPointer>& parts) {
  if (parts.size() == 1) return parts.front();
  DfaPointer both = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::vector<DfaPointer> pair{both, parts[i]};
    auto next = combine(pair, 0, [&pair](std::span<const DfaState> states) {
      const bool all = pair[0]->accepts(states[0]) && pair[1]->accepts(states[1]);
      return all ? 0 : Dfa::kNoLabel;
    });
    if (!next) return next;
    both = *next;
  }
  return both;
}

Result<DfaPointer> complement(const DfaPointer& part) {
  return combine({every_text(), part}, 0, [&part](std::span<const DfaState> states) {
    const bool outside = every_text()->accepts(states[0]) && !part->accepts(states[1]);
    return outside ? 0 : Dfa::kNoLabel;
  });
}

}  // namespace backplane::local

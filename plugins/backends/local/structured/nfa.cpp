// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <tuple>

#include "plugins/backends/local/structured/regex.hpp"

namespace backplane::local {
namespace {

using ByteRanges = std::vector<std::pair<std::uint8_t, std::uint8_t>>;

std::vector<std::uint8_t> encode(std::uint32_t code, std::size_t size) {
  static constexpr std::uint8_t kLead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = size; i-- > 1; code >>= 6) {
    bytes[i] = static_cast<std::uint8_t>(0x80 | (code & 0x3f));
  }
  bytes[0] = static_cast<std::uint8_t>(kLead[size] | code);
  return bytes;
}

// Code points of one encoded size, as sequences of independent byte ranges.
void split(std::uint32_t low, std::uint32_t high, std::size_t size, std::vector<ByteRanges>& out) {
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint32_t mask = (1u << (6 * i)) - 1;
    if ((low & ~mask) == (high & ~mask)) continue;
    if ((low & mask) != 0) {
      split(low, low | mask, size, out);
      return split((low | mask) + 1, high, size, out);
    }
    if ((high & mask) != mask) {
      split(low, (high & ~mask) - 1, size, out);
      return split(high & ~mask, high, size, out);
    }
  }
  const auto first = encode(low, size), last = encode(high, size);
  ByteRanges ranges;
  for (std::size_t i = 0; i < size; ++i) ranges.emplace_back(first[i], last[i]);
  out.push_back(std::move(ranges));
}

std::vector<ByteRanges> encode_ranges(const CodePoints& ranges) {
  struct Block {
    std::uint32_t low, high;
    std::size_t size;
  };
  static constexpr Block kBlocks[] = {{0, 0x7f, 1},
                                      {0x80, 0x7ff, 2},
                                      {0x800, 0xd7ff, 3},
                                      {0xe000, 0xffff, 3},
                                      {0x10000, 0x10ffff, 4}};
  std::vector<ByteRanges> out;
  for (const auto& [low, high] : ranges) {
    for (const Block& block : kBlocks) {
      const std::uint32_t from = std::max(low, block.low), to = std::min(high, block.high);
      if (from <= to) split(from, to, block.size, out);
    }
  }
  return out;
}

}  // namespace

Nfa::State Nfa::add_state() {
  edges_.emplace_back();
  return static_cast<State>(edges_.size() - 1);
}

void Nfa::add_class(const CodePoints& ranges, State from, State to) {
  std::map<std::tuple<std::uint8_t, std::uint8_t, State>, State> shared;
  for (const ByteRanges& bytes : encode_ranges(ranges)) {
    State target = to;
    for (std::size_t i = bytes.size(); i-- > 1;) {
      const auto [entry, is_new] =
          shared.try_emplace({bytes[i].first, bytes[i].second, target}, State{0});
      if (is_new) {
        entry->second = add_state();
        edges_[entry->second].ranges.push_back({bytes[i].first, bytes[i].second, target});
      }
      target = entry->second;
    }
    edges_[from].ranges.push_back({bytes[0].first, bytes[0].second, target});
  }
}

DfaSource::State Nfa::close(std::vector<State> open, bool at_begin, bool at_end) const {
  DfaSource::State closed;
  marks_.resize(edges_.size(), 0);
  ++mark_;
  const auto visit = [&](State state) {
    if (marks_[state] == mark_) return;
    marks_[state] = mark_;
    open.push_back(state);
  };
  for (const State state : std::exchange(open, {})) visit(state);
  while (!open.empty()) {
    const State state = open.back();
    open.pop_back();
    const Edges& edges = edges_[state];
    steps_ += 1 + edges.empty.size();
    // Others are only ways to these.
    if (!edges.ranges.empty() || !edges.at_end.empty() || state == accept) closed.push_back(state);
    for (const State next : edges.empty) visit(next);
    if (at_begin) std::for_each(edges.at_begin.begin(), edges.at_begin.end(), visit);
    if (at_end) std::for_each(edges.at_end.begin(), edges.at_end.end(), visit);
  }
  std::sort(closed.begin(), closed.end());
  return closed;
}

DfaSource Nfa::source() const {
  std::vector<bool> cuts(257, false);
  for (const Edges& edges : edges_) {
    for (const auto& range : edges.ranges) cuts[range.low] = cuts[range.high + 1u] = true;
  }
  DfaSource source{byte_classes(cuts), close({start}, true, false), nullptr, nullptr};
  source.step = [this](const DfaSource::State& state, std::uint8_t byte) {
    std::vector<State> after;
    if (is_exhausted()) return DfaSource::State{};
    for (const std::uint32_t member : state) {
      steps_ += edges_[member].ranges.size();
      for (const auto& range : edges_[member].ranges) {
        if (range.low <= byte && byte <= range.high) after.push_back(range.to);
      }
    }
    return after.empty() ? DfaSource::State{} : close(std::move(after), false, false);
  };
  source.label = [this](const DfaSource::State& state) {
    const auto ends = close(state, false, true);
    return std::binary_search(ends.begin(), ends.end(), accept) ? 0 : Dfa::kNoLabel;
  };
  return source;
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// The loop both tokenizers share: pieces of a text in a linked list, of which the best adjacent
// pair is joined until no pair may be. O(n log n) in the number of pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <string_view>
#include <vector>

#include "plugins/backends/local/tokenizer/unicode.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

struct MergePiece {
  std::string_view text;  // empty once joined to the piece before it
  std::int32_t token = -1;
  std::size_t previous = kNone;
  std::size_t next = kNone;
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
};

// The characters of `text`, linked in order; they borrow from it.
inline std::vector<MergePiece> split_characters(std::string_view text,
                                                const Vocabulary& vocabulary) {
  std::vector<MergePiece> pieces;
  for (std::size_t at = 0; at < text.size();) {
    MergePiece piece;
    piece.text = text.substr(at, decode_utf8(text.substr(at)).size);
    piece.token = vocabulary.find(piece.text).value_or(-1);
    piece.previous = pieces.empty() ? MergePiece::kNone : pieces.size() - 1;
    if (!pieces.empty()) pieces.back().next = pieces.size();
    at += piece.text.size();
    pieces.push_back(piece);
  }
  return pieces;
}

// A pair that may be joined: lower cost first, then further left.
struct Merge {
  double cost = 0;
  std::int32_t token = -1;  // what the pair becomes
};

// `find(left, right)` returns the Merge of two adjacent pieces, or nullopt. Pieces adjoin in
// memory and are linked in order.
template <class Find>
void merge_pieces(std::vector<MergePiece>& pieces, const Find& find) {
  struct Candidate {
    Merge merge;
    std::size_t left;
    std::size_t size;  // bytes when it was found: stale if a piece has grown or gone
    bool operator<(const Candidate& other) const {
      if (merge.cost != other.merge.cost) return merge.cost > other.merge.cost;
      return left > other.left;
    }
  };
  std::priority_queue<Candidate> queue;
  const auto offer = [&](std::size_t left) {
    if (left == MergePiece::kNone || pieces[left].next == MergePiece::kNone) return;
    const MergePiece& right = pieces[pieces[left].next];
    if (const std::optional<Merge> merge = find(pieces[left], right)) {
      queue.push({*merge, left, pieces[left].text.size() + right.text.size()});
    }
  };
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    MergePiece& left = pieces[best.left];
    if (left.text.empty() || left.next == MergePiece::kNone) continue;
    MergePiece& right = pieces[left.next];
    if (left.text.size() + right.text.size() != best.size) continue;
    left.text = {left.text.data(), best.size};
    left.token = best.merge.token;
    right.text = {};
    left.next = right.next;
    if (left.next != MergePiece::kNone) pieces[left.next].previous = best.left;
    offer(left.previous);
    offer(best.left);
  }
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/range_plan.hpp"

#include <algorithm>
#include <cassert>

namespace backplane::local {

std::size_t piece_count(std::uint64_t bytes) {
  return static_cast<std::size_t>((bytes + kPieceBytes - 1) / kPieceBytes);
}

ByteRange piece_range(std::uint64_t bytes, std::size_t piece) {
  const std::uint64_t begin = piece * kPieceBytes;
  return {begin, std::min(begin + kPieceBytes, bytes)};
}

std::vector<ByteRange> plan_ranges(std::uint64_t bytes, const std::vector<bool>& done,
                                   std::size_t connections) {
  assert(done.size() == piece_count(bytes) && connections > 0);
  const auto missing = static_cast<std::size_t>(std::count(done.begin(), done.end(), false));
  const std::size_t share = (missing + connections - 1) / connections;
  const std::size_t pieces_max =
      std::clamp<std::size_t>(share, 1, std::size_t{kRangeBytesMax / kPieceBytes});
  std::vector<ByteRange> ranges;
  std::size_t in_range = 0;
  for (std::size_t piece = 0; piece < done.size(); ++piece) {
    if (done[piece]) {
      in_range = 0;
      continue;
    }
    const ByteRange range = piece_range(bytes, piece);
    if (in_range == 0 || in_range == pieces_max) {
      ranges.push_back(range);
      in_range = 1;
    } else {
      ranges.back().end = range.end;
      ++in_range;
    }
  }
  return ranges;
}

}  // namespace backplane::local

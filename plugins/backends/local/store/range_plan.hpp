// SPDX-License-Identifier: Apache-2.0
// Which bytes of a file to ask for, when some are there already. A file is pieces of kPieceBytes,
// the last one shorter; a range is whole pieces that lie side by side.
#pragma once

#include <cstdint>
#include <vector>

namespace backplane::local {

inline constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t kRangeBytesMax = std::uint64_t{64} << 20U;

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // exclusive
  std::uint64_t bytes() const { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

// Pieces of a file of `bytes`; an empty file has none.
std::size_t piece_count(std::uint64_t bytes);
ByteRange piece_range(std::uint64_t bytes, std::size_t piece);

// Ranges that cover every piece that is not in `done`, in order, none longer than kRangeBytesMax,
// and about `connections` of them where there is enough for that.
std::vector<ByteRange> plan_ranges(std::uint64_t bytes, const std::vector<bool>& done,
                                   std::size_t connections);

}  // namespace backplane::local

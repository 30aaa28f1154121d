// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/line_index.hpp"

#include <algorithm>
#include <utility>

namespace backplane::config {

LineIndex::LineIndex(std::string file, std::string_view text)
    : file_(std::move(file)), text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      starts_.push_back(i + 1);
    }
  }
}

Position LineIndex::at(int line, int byte) {
  const auto row = std::min(static_cast<std::size_t>(std::max(line, 0)), starts_.size() - 1);
  const std::size_t end = row + 1 < starts_.size() ? starts_[row + 1] : text_.size();
  const std::size_t stop =
      std::min(starts_[row] + static_cast<std::size_t>(std::max(byte, 0)), end);
  if (row != counted_row_ || stop < counted_to_) {
    counted_row_ = row;
    counted_to_ = starts_[row];
    counted_ = 0;
  }
  for (; counted_to_ < stop; ++counted_to_) {
    counted_ += (static_cast<unsigned char>(text_[counted_to_]) & 0xC0) != 0x80 ? 1 : 0;
  }
  return {file_, static_cast<int>(row) + 1, counted_ + 1};
}

Position LineIndex::at_offset(std::size_t offset) {
  const auto next =
      std::upper_bound(starts_.begin(), starts_.end(), std::min(offset, text_.size()));
  const auto row = next - starts_.begin() - 1;
  return at(static_cast<int>(row),
            static_cast<int>(offset - starts_[static_cast<std::size_t>(row)]));
}

}  // namespace backplane::config

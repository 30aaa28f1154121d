// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/byte_trie.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace backplane::local {

ByteTrie::ByteTrie(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.bytes < b.bytes; });
  bytes_.push_back(0);
  depths_.push_back(0);
  ends_.push_back(0);
  first_value_.push_back(0);
  std::string_view last;
  std::vector<std::uint32_t> path{0};  // the nodes of the last string
  for (const Entry& entry : entries) {
    assert(!entry.bytes.empty() && entry.bytes.size() <= 0xffff);
    const auto differ =
        std::mismatch(last.begin(), last.end(), entry.bytes.begin(), entry.bytes.end());
    const auto shared = static_cast<std::size_t>(differ.first - last.begin());
    path.resize(shared + 1);
    for (std::size_t i = shared; i < entry.bytes.size(); ++i) {
      path.push_back(size());
      bytes_.push_back(static_cast<std::uint8_t>(entry.bytes[i]));
      depths_.push_back(static_cast<std::uint16_t>(i + 1));
      first_value_.push_back(static_cast<std::uint32_t>(values_.size()));
    }
    values_.push_back(entry.value);
    depth_max_ = std::max(depth_max_, static_cast<std::uint32_t>(entry.bytes.size()));
    last = entry.bytes;
  }
  first_value_.push_back(static_cast<std::uint32_t>(values_.size()));
  ends_.assign(size(), size());
  std::vector<std::uint32_t> open;  // by depth
  for (std::uint32_t node = 0; node < size(); ++node) {
    while (open.size() > depths_[node]) ends_[open.back()] = node, open.pop_back();
    open.push_back(node);
  }
  below_.assign(size(), 0);
  // Backwards the children of a node come before it: by depth, what they hold is gathered.
  std::vector<std::uint64_t> gathered(depth_max_ + 2, 0);
  for (std::uint32_t node = size(); node-- > 0;) {
    below_[node] = std::exchange(gathered[depths_[node] + 1u], 0);
    gathered[depths_[node]] |= below_[node] | byte_bit(bytes_[node]);
  }
}

std::span<const std::uint32_t> ByteTrie::values(std::uint32_t node) const {
  return std::span(values_).subspan(first_value_[node],
                                    first_value_[node + 1] - first_value_[node]);
}

std::span<const std::uint32_t> ByteTrie::values_below(std::uint32_t node) const {
  return std::span(values_).subspan(first_value_[node],
                                    first_value_[ends_[node]] - first_value_[node]);
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// A set of byte strings as a tree. Immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

// Byte strings with a number each, as a tree in depth-first order: the nodes below node i are
// i + 1 up to end(i). Node 0 is the root.
class ByteTrie {
 public:
  struct Entry {
    std::string bytes;  // at least one
    std::uint32_t value;
  };
  ByteTrie() : ByteTrie(std::vector<Entry>{}) {}
  explicit ByteTrie(std::vector<Entry> entries);

  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  std::uint8_t byte(std::uint32_t node) const { return bytes_[node]; }
  std::uint32_t depth(std::uint32_t node) const { return depths_[node]; }
  std::uint32_t end(std::uint32_t node) const { return ends_[node]; }
  // Whether one of some bytes may occur below a node; `bytes` has byte_bit() of each.
  bool may_hold(std::uint32_t node, std::uint64_t bytes) const {
    return (below_[node] & bytes) != 0;
  }
  static constexpr std::uint64_t byte_bit(std::uint8_t byte) {
    return std::uint64_t{1} << (byte % 64);
  }
  std::uint32_t depth_max() const { return depth_max_; }
  // The values of the strings that end at a node, and of all at or below it.
  std::span<const std::uint32_t> values(std::uint32_t node) const;
  std::span<const std::uint32_t> values_below(std::uint32_t node) const;
  // The strings that go through a node, from its byte on, with their values.
  template <class Take>
  void each_below(std::uint32_t node, Take take) const {
    std::string bytes;
    for (std::uint32_t below = node; below < end(node); ++below) {
      bytes.resize(depth(below) - depth(node));
      bytes += static_cast<char>(byte(below));
      for (const std::uint32_t value : values(below)) take(std::string_view(bytes), value);
    }
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint16_t> depths_;
  std::vector<std::uint32_t> ends_;
  std::vector<std::uint64_t> below_;
  std::vector<std::uint32_t> first_value_;  // one more than there are nodes
  std::vector<std::uint32_t> values_;
  std::uint32_t depth_max_ = 0;
};

}  // namespace backplane::local

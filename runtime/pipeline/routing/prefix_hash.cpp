// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/routing/prefix_hash.hpp"

#include <cstring>

namespace backplane {
namespace {

constexpr std::size_t kEndBytes = 512;

}  // namespace

std::uint64_t hash_of(std::string_view text) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = mixed(text.size() + kMultiplier);
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof(word));
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 29U;
  }
  std::uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  return mixed(hash ^ rest);
}

std::uint64_t prefix_hash_of(std::string_view prefix) {
  if (prefix.size() <= 2 * kEndBytes) return hash_of(prefix) | 1U;
  const std::uint64_t first = hash_of(prefix.substr(0, kEndBytes));
  return mixed(first ^ hash_of(prefix.substr(prefix.size() - kEndBytes)) ^ prefix.size()) | 1U;
}

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
// Hashes that are the same in every process and after every restart, for choices by content.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

// Spreads every bit over all of them.
constexpr std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 30U;
  value *= 0xBF58476D1CE4E5B9ULL;
  value ^= value >> 27U;
  value *= 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

// Not against those who would make collisions: all they gain is to share a provider.
std::uint64_t hash_of(std::string_view text);

// Of what conversations begin with: its size, its first and its last bytes. Never 0.
std::uint64_t prefix_hash_of(std::string_view prefix);

}  // namespace backplane

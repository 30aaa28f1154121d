// SPDX-License-Identifier: Apache-2.0
// What a call got from the cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane {

enum class CacheResult : std::uint8_t { kHit, kShared, kMiss };
inline constexpr std::size_t kCacheResults = 3;

constexpr const char* name_of(CacheResult result) {
  constexpr std::array<const char*, kCacheResults> kNames = {"hit", "shared", "miss"};
  return kNames[static_cast<std::size_t>(result)];
}

}  // namespace backplane

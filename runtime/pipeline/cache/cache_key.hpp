// SPDX-License-Identifier: Apache-2.0
// By what an answer is found again: a digest of all that decides it, so that no two callers and no
// two requests share one by mistake. Nothing of a credential or of a body is kept beside it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

struct CacheKey {
  std::array<unsigned char, 32> digest{};
  bool operator==(const CacheKey&) const = default;

  struct Hash {
    // A digest is as good as any hash of it; its first bytes choose the shard.
    std::size_t operator()(const CacheKey& key) const {
      std::size_t hash = 0;
      std::memcpy(&hash, key.digest.data() + key.digest.size() - sizeof(hash), sizeof(hash));
      return hash;
    }
  };
};

using CallMetadata = std::vector<std::pair<std::string, std::string>>;

// What an answer depends on; texts are borrowed.
struct CachedRequest {
  // Who asks: every header that came with the call but for those that only name this one call or
  // its way. Without credentials all callers are one.
  const CallMetadata& tenant;
  std::string_view model;   // the public name
  std::string_view routes;  // what serves it, with the generations in which that started
  std::string_view operation;
  std::string_view content_type;
  std::string_view body;
};

// [any-thread] None where the digest cannot be made; there is no cache for that call then.
std::optional<CacheKey> cache_key_of(const CachedRequest& request);

}  // namespace backplane

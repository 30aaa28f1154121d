// SPDX-License-Identifier: Apache-2.0
// What a request says of whether its answer may come from a cache.
#pragma once

#include "runtime/pipeline/cache/cache_key.hpp"

#include <backplane/abi.h>

#include <limits>

namespace backplane {

// RFC 9111, section 5.2.1, as far as a client would miss it; the rest is passed over.
struct CacheControl {
  bool no_store = false;  // neither answered from the cache nor kept
  std::int64_t max_age_s = std::numeric_limits<std::int64_t>::max();  // no-cache: 0
};

// [any-thread]
CacheControl cache_control_of(const CallMetadata& metadata);

// [any-thread] Would the same model say the same again? Embeddings, rerank and moderations, and
// whatever asks for a temperature of 0 or gives a seed. The body has been found to be JSON.
bool is_deterministic(std::string_view operation, const bp_buffer& body);

}  // namespace backplane

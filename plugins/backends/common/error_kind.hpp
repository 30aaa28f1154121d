// SPDX-License-Identifier: Apache-2.0
// What kind of failure a provider means, by its own codes and words, where its status says too
// little: one word for what each of them calls differently.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane::dialect {

enum class ErrorKind : std::uint8_t {
  kByStatus,       // nothing more is known
  kContextLength,  // the prompt is too long for the model
  kContentPolicy,  // the provider does not want to answer this
  kModelMissing,   // no such model, or no more
  kQuota,          // the gateway's account is used up: waiting does not help
  kRateLimit,      // waiting does
  kOverloaded,     // the provider or its model is busy, loading or off
  kTimeout,        // the provider gave up waiting
  kAuth            // the gateway's key
};

// `code` and `type` as the provider's error has them, or empty; `status` 0: none.
ErrorKind error_kind(std::uint32_t status, std::string_view code, std::string_view type,
                     std::string_view message);

}  // namespace backplane::dialect

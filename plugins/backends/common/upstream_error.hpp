// SPDX-License-Identifier: Apache-2.0
// What a provider's failure is to the client: mapped, never leaked.
//
//   kind (error_kind.hpp)   code                status and type                      may succeed
//   400 413 422             INVALID_ARGUMENT    the same, in the provider's words    never
//   context length          INVALID_ARGUMENT    400 CONTEXT_LENGTH_EXCEEDED, likewise
//   content policy          INVALID_ARGUMENT    the same CONTENT_POLICY_VIOLATION, likewise
//   404 410                 NOT_FOUND           404, in the provider's words         never
//   model missing           NOT_FOUND           404 MODEL_NOT_FOUND, likewise
//   auth, 401 403           INTERNAL            502 UPSTREAM_AUTH                    elsewhere
//   quota, 402              UNAVAILABLE         502 UPSTREAM_QUOTA                   elsewhere
//   rate limit, 429         RESOURCE_EXHAUSTED  429 RATE_LIMITED, retry_after_ms     later
//   overloaded, 498 503 529 UNAVAILABLE         503 UPSTREAM_ERROR, retry_after_ms   later
//   timeout, 408 504 522 524 UNAVAILABLE        504 UPSTREAM_ERROR                   at once
//   other                   INTERNAL            502 UPSTREAM_ERROR                   at once
//
// What may succeed later or at once may succeed elsewhere too. Messages come from JSON alone, at
// most kMessageMaxBytes of them.
#pragma once

#include <backplane/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kMessageMaxBytes = 400;

// Takes out of a text what a client must not see. Immutable.
class Scrubber {
 public:
  Scrubber() = default;
  // `base_url`: its host, with and without the port. `secrets`: each, where it is long enough not
  // to be a common word.
  Scrubber(std::string_view base_url, const std::vector<std::string>& secrets);

  std::string scrub(std::string text) const;

 private:
  std::vector<std::string> hidden_;  // longest first; compared without case
};

// The error for a response of `status` (300 and up) with this body. Without `retry_after_ms` what
// the message advises counts.
Error upstream_error(std::uint32_t status, std::string_view body, std::uint64_t retry_after_ms,
                     const Scrubber& scrubber);

// The error for a document with a member `error`, or sent as an error event, after a status of 200.
// Its own status, where it names one (`code`, `status_code`, `status`), counts as that of a
// response; "invalid_request_error" counts as 400.
Error document_error(std::string_view document, const Scrubber& scrubber);

}  // namespace backplane::dialect

// SPDX-License-Identifier: Apache-2.0
// What a provider's failure is to the client: mapped, never leaked.
//
//   400 413 422   INVALID_ARGUMENT    the same status and the provider's message
//   404 410       NOT_FOUND           404 and the provider's message
//   401 403       INTERNAL            502 UPSTREAM_AUTH
//   429           RESOURCE_EXHAUSTED  429 RATE_LIMITED, retry_after_ms
//   402           UNAVAILABLE         502 UPSTREAM_ERROR
//   503 529       UNAVAILABLE         503 UPSTREAM_ERROR, retry_after_ms
//   other         INTERNAL            502 UPSTREAM_ERROR
//
// Another provider may serve what failed with UNAVAILABLE, RESOURCE_EXHAUSTED, or INTERNAL with a
// status of 5xx. Messages come from JSON alone, at most kMessageMaxBytes of them.
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

// The error for a response of `status` (300 and up) with this body.
Error upstream_error(std::uint32_t status, std::string_view body, std::uint64_t retry_after_ms,
                     const Scrubber& scrubber);

// The error for a document with a member `error`, or sent as an error event, after a status of 200.
// Its own status, where it names one (`code`, `status_code`, `status`), counts as that of a
// response; "invalid_request_error" counts as 400.
Error document_error(std::string_view document, const Scrubber& scrubber);

}  // namespace backplane::dialect

// SPDX-License-Identifier: Apache-2.0
// What the headers of a response tell of rate limits, in every form that providers use:
//   x-ratelimit-{limit,remaining,reset}-{requests,tokens}[-day|-hour|-minute]
//   [x-]ratelimit-{limit,remaining,reset}, which count requests
// A reset is a duration, seconds, or a time (wait_time.hpp).
#pragma once

#include <backplane/abi.h>

#include <cstdint>
#include <optional>
#include <span>

namespace backplane::dialect {

// Names in lower case. Of several windows the one that leaves least counts. Nothing: none is told.
std::optional<bp_rate_limit> read_rate_limit(std::span<const bp_pair> headers,
                                             std::int64_t unix_now_ns);

// Until there is room again where nothing remains; 0: not told, or there is room.
std::uint64_t exhausted_for_ms(const bp_rate_limit& limit);

}  // namespace backplane::dialect

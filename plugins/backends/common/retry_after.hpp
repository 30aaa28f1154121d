// SPDX-License-Identifier: Apache-2.0
// How long a server asks to be left alone.
#pragma once

#include <backplane/abi.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace backplane::dialect {

inline constexpr std::uint64_t kRetryAfterMaxMs = 24ULL * 60 * 60 * 1000;

// From the headers of a response (names in lower case): `retry-after-ms`, else `retry-after`, which
// is seconds or an HTTP date (RFC 9110, 10.2.3). 0: neither is there, or it cannot be read, or the
// date has passed. Longer than kRetryAfterMaxMs is cut.
std::uint64_t retry_after_ms(std::span<const bp_pair> headers, std::int64_t unix_now_ns);

}  // namespace backplane::dialect

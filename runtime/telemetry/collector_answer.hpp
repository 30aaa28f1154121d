// SPDX-License-Identifier: Apache-2.0
// What a collector's answer to an export means (OTLP/HTTP: success, partial success, "come back
// later").
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

inline constexpr std::uint64_t kRetryAfterMaxMs = 60'000;

// 429, 502, 503 and 504: the same spans may be taken later.
bool may_retry_export(std::uint32_t status);

// Spans that a collector that took the rest says it refused; 0 where it does not say.
std::uint64_t rejected_spans(std::string_view body);

// The value of Retry-After, seconds or a date, in milliseconds from `unix_ns` on; at most
// kRetryAfterMaxMs, and 0 where it is neither.
std::uint64_t retry_delay_ms(std::string_view value, std::int64_t unix_ns);

}  // namespace backplane

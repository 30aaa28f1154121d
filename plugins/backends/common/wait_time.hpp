// SPDX-License-Identifier: Apache-2.0
// Spans of time as servers write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace backplane::dialect {

// "6s", "130ms", "2m59.56s", "1h", "10.332999999s": units without one missing. Milliseconds,
// rounded up: who waits that long has waited long enough. Nothing: `text` is not all of one.
std::optional<std::uint64_t> parse_duration_ms(std::string_view text);

// From now: a duration, seconds, or a point in time as seconds or milliseconds of Unix time, told
// apart by size. A time that has passed is 0.
std::optional<std::uint64_t> parse_reset_ms(std::string_view text, std::int64_t unix_now_ns);

// What an error message advises: "... try again in 5.289s." 0: nothing.
std::uint64_t advised_wait_ms(std::string_view message);

}  // namespace backplane::dialect

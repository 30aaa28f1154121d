// SPDX-License-Identifier: Apache-2.0
// Money written by people, exactly: decimal text to integers, never through floating point.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backplane/result.hpp"

namespace backplane::config {

// "0.59" (USD) to 590'000'000 (nano-USD). Refuses signs, exponents, more than 9 decimals and what
// does not fit 63 bits.
Result<std::int64_t> parse_nano_usd(std::string_view decimal);

// The shortest decimal: 590'000'000 gives "0.59". `nano_usd` is not negative.
std::string format_nano_usd(std::int64_t nano_usd);

}  // namespace backplane::config

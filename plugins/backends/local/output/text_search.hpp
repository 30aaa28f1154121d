// SPDX-License-Identifier: Apache-2.0
// Looking for markers in text that comes in pieces.
#pragma once

#include <cstddef>
#include <string_view>

namespace backplane::local {

inline constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string_view trim_start(std::string_view text);
std::string_view trim_end(std::string_view text);
std::string_view trim(std::string_view text);

// The end of `text` that cannot be passed on yet: the beginning of the marker, and white space.
std::size_t held_size(std::string_view text, std::string_view marker);

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// The few things to know of a media type (RFC 9110, 8.3.1).
#pragma once

#include <algorithm>
#include <string_view>

namespace backplane::dialect {

inline std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// `content_type`, its parameters aside, is `type`, which is in lower case.
inline bool is_media_type(std::string_view content_type, std::string_view type) {
  const std::string_view name = trim(content_type.substr(0, content_type.find(';')));
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::equal(name.begin(), name.end(), type.begin(), type.end(), same);
}

// Visible ASCII, space and tab: what a header may carry.
inline bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return byte == '\t' || (byte >= ' ' && byte <= '~'); });
}

}  // namespace backplane::dialect

// SPDX-License-Identifier: Apache-2.0
// Tokens and values of HTTP's fields (RFC 9110, 5.5 and 5.6.2).
#pragma once

#include <algorithm>
#include <string_view>

namespace backplane::http {

constexpr bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr bool is_token_character(char c) {
  return is_alphanumeric(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

inline bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Equal but for case; `lower_case` is in lower case.
inline bool same_token(std::string_view lower_case, std::string_view text) {
  return std::equal(lower_case.begin(), lower_case.end(), text.begin(), text.end(),
                    [](char a, char b) { return a == lower(b); });
}

// No control character but the tab.
inline bool is_field_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace backplane::http

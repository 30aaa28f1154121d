// SPDX-License-Identifier: Apache-2.0
#include "request_syntax.hpp"

#include "token.hpp"

namespace backplane::http {

bool is_host(std::string_view value) {
  const std::size_t colon = value.find_last_of(":]");
  if (colon != std::string_view::npos && value[colon] == ':') {
    const std::string_view port = value.substr(colon + 1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return false;
    }
    value = value.substr(0, colon);
  }
  const bool literal = value.size() > 1 && value.front() == '[' && value.back() == ']';
  if (literal) value = value.substr(1, value.size() - 2);
  const std::string_view others = literal ? ":.-_~%" : "-._~!$&'()*+,;=%";
  return std::all_of(value.begin(), value.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_target(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool names_other_version(std::string_view head) {
  constexpr std::string_view kForm = " HTTP/d.d";
  const std::string_view line = head.substr(0, head.find('\r'));
  if (line.size() < kForm.size()) return false;
  const std::string_view tail = line.substr(line.size() - kForm.size());
  const auto is_digit = [&](std::size_t at) { return tail[at] >= '0' && tail[at] <= '9'; };
  return tail.substr(0, 6) == kForm.substr(0, 6) && is_digit(6) && tail[7] == '.' && is_digit(8) &&
         tail.substr(6) != "1.0" && tail.substr(6) != "1.1";
}

bool is_line_in_quotes(std::string_view text) {
  if (text.substr(0, 2) == "\r\n") text.remove_prefix(2);
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return false;
  bool quoted = false;
  for (std::size_t i = 0; i < end; ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\\' && quoted) ++i;
  }
  return quoted;
}

}  // namespace backplane::http

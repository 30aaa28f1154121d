// SPDX-License-Identifier: Apache-2.0
#include "http_text.hpp"

#include <algorithm>
#include <charconv>

namespace backplane::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool begins_with(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         std::equal(name.begin(), name.end(), line.begin(),
                    [](char expected, char found) { return expected == lower(found); });
}

}  // namespace

std::optional<std::size_t> head_size(std::string_view bytes) {
  const std::size_t end = bytes.find(kHeadEnd);
  if (end == std::string_view::npos) return std::nullopt;
  return end + kHeadEnd.size();
}

std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find(kLineEnd); at != std::string_view::npos;) {
    const std::string_view rest = head.substr(at + kLineEnd.size());
    const std::size_t end = rest.find(kLineEnd);
    const std::string_view line = rest.substr(0, end);
    if (begins_with(line, name)) {
      const std::string_view value = line.substr(name.size() + 1);
      return value.substr(std::min(value.find_first_not_of(' '), value.size()));
    }
    at = end == std::string_view::npos ? end : at + kLineEnd.size() + end;
  }
  return {};
}

std::size_t content_length(std::string_view head) {
  const std::string_view value = header(head, "content-length");
  std::size_t length = 0;
  std::from_chars(value.data(), value.data() + value.size(), length);
  return length;
}

}  // namespace backplane::bench

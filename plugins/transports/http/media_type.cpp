// SPDX-License-Identifier: Apache-2.0
#include "media_type.hpp"

#include "token.hpp"

namespace backplane::http {
namespace {

constexpr std::size_t kMaxBoundaryBytes = 70;  // RFC 2046, 5.1.1

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view essence(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

}  // namespace

bool is_json(std::string_view content_type) {
  return same_token("application/json", essence(content_type));
}

bool is_text(std::string_view content_type) {
  return is_json(content_type) || same_token("text/plain", essence(content_type));
}

bool is_form(std::string_view content_type) {
  return same_token("multipart/form-data", essence(content_type));
}

bool has_boundary(std::string_view content_type) {
  for (std::size_t at = content_type.find(';'); at != std::string_view::npos;
       at = content_type.find(';')) {
    content_type.remove_prefix(at + 1);
    const std::string_view parameter = trim(content_type.substr(0, content_type.find(';')));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!same_token("boundary", parameter.substr(0, equals))) continue;
    std::string_view value = parameter.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return !value.empty() && value.size() <= kMaxBoundaryBytes;
  }
  return false;
}

}  // namespace backplane::http

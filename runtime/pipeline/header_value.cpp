// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/header_value.hpp"

#include <algorithm>

namespace backplane {
namespace {

constexpr std::string_view kBlank = " \t";

void skip_blank(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
}

// Up to one of `ends`, which stays.
std::string_view take_until(std::string_view& text, std::string_view ends) {
  const std::size_t size = std::min(text.find_first_of(ends), text.size());
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

Result<std::string> take_quoted(std::string_view& text) {
  text.remove_prefix(1);
  const std::size_t end = text.find('"');
  if (end == std::string_view::npos) return invalid_argument("a quote is not closed");
  if (end > 0 && text[end - 1] == '\\') {
    return invalid_argument("a quote behind a backslash; write %22 for a quote");
  }
  std::string value(text.substr(0, end));
  text.remove_prefix(end + 1);
  return value;
}

Result<std::pair<std::string, std::string>> take_parameter(std::string_view& text) {
  std::string name = lower_case(take_until(text, " \t=;\""));
  if (!is_token(name) || text.empty() || text.front() != '=') {
    return invalid_argument("expected name=value behind \";\"");
  }
  text.remove_prefix(1);
  if (text.empty() || text.front() != '"') {
    return std::pair(std::move(name), std::string(take_until(text, " \t;\"")));
  }
  Result<std::string> value = take_quoted(text);
  if (!value) return value.error();
  return std::pair(std::move(name), std::move(*value));
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& byte : lower) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
  }
  return lower;
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    const char lower = static_cast<char>(byte | 0x20);
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
           kMarks.find(byte) != std::string_view::npos;
  });
}

Result<HeaderValue> read_header_value(std::string_view text) {
  HeaderValue header;
  skip_blank(text);
  header.value = lower_case(take_until(text, " \t;"));
  skip_blank(text);
  while (!text.empty()) {
    if (text.front() != ';') return invalid_argument("expected \";\" before a parameter");
    text.remove_prefix(1);
    skip_blank(text);
    if (text.empty() || text.front() == ';') continue;
    auto parameter = take_parameter(text);
    if (!parameter) return parameter.error();
    if (find_parameter(header, parameter->first) != nullptr) {
      return invalid_argument(parameter->first + ": given twice");
    }
    header.parameters.push_back(std::move(*parameter));
    skip_blank(text);
  }
  return header;
}

const std::string* find_parameter(const HeaderValue& header, std::string_view name) {
  for (const auto& [key, value] : header.parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace backplane

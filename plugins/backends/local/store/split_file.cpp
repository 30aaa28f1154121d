// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/split_file.hpp"

#include <charconv>

namespace backplane::local {
namespace {

constexpr std::string_view kEnd = ".gguf";
constexpr std::string_view kOf = "-of-";
constexpr std::size_t kDigits = 5;

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number == 0) return {};
  return number;
}

std::string digits(std::size_t number) {
  std::string text = std::to_string(number);
  return std::string(text.size() < kDigits ? kDigits - text.size() : 0, '0') + text;
}

}  // namespace

std::optional<SplitFile> parse_split_file(std::string_view path) {
  const std::size_t tail = 1 + kDigits + kOf.size() + kDigits + kEnd.size();
  if (path.size() <= tail || !path.ends_with(kEnd)) return {};
  const std::string_view end = path.substr(path.size() - tail);
  if (end[0] != '-' || end.substr(1 + kDigits, kOf.size()) != kOf) return {};
  const auto number = number_of(end.substr(1, kDigits));
  const auto count = number_of(end.substr(1 + kDigits + kOf.size(), kDigits));
  if (!number || !count || *number > *count) return {};
  return SplitFile{std::string(path.substr(0, path.size() - tail)), *number, *count};
}

std::string split_file_name(const SplitFile& file) {
  return file.base + "-" + digits(file.number) + std::string(kOf) + digits(file.count) +
         std::string(kEnd);
}

}  // namespace backplane::local

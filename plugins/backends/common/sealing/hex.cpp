// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/hex.hpp"

#include <cstddef>

namespace backplane::sealing {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

int digit_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes(text.size() / 2);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const int high = digit_of(text[2 * at]);
    const int low = digit_of(text[2 * at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[at] = static_cast<std::uint8_t>(16 * high + low);
  }
  return bytes;
}

std::string_view without_hex_prefix(std::string_view text) {
  return text.substr(0, 2) == "0x" ? text.substr(2) : text;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace backplane::sealing

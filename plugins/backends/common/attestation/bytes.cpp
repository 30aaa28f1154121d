// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/bytes.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace backplane::attestation {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> kBase64Values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t at = 0; at < kBase64Digits.size(); ++at) {
    values[static_cast<unsigned char>(kBase64Digits[at])] = static_cast<std::uint8_t>(at);
  }
  return values;
}();

std::uint8_t hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<std::uint8_t>(digit - 'A' + 10);
  return kNoDigit;
}

}  // namespace

BytesView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string text_of(BytesView bytes) {
  return std::string(bytes.begin(), bytes.end());
}

bool is_zero(BytesView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::string to_hex(BytesView bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text, std::size_t bytes_max) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() % 2 != 0 || text.size() / 2 > bytes_max) return std::nullopt;
  Bytes bytes(text.size() / 2);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const std::uint8_t high = hex_value(text[2 * at]);
    const std::uint8_t low = hex_value(text[2 * at + 1]);
    if (high == kNoDigit || low == kNoDigit) return std::nullopt;
    bytes[at] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return bytes;
}

std::optional<Bytes> from_base64(std::string_view text, std::size_t bytes_max) {
  if (text.size() % 4 != 0 || text.size() / 4 * 3 > bytes_max + 2) return std::nullopt;
  std::size_t padding = 0;
  for (; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  Bytes bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (const char digit : text) {
    const std::uint8_t value = kBase64Values[static_cast<unsigned char>(digit)];
    if (value == kNoDigit) return std::nullopt;
    bits = (bits << 6 | value) & 0xffffff;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> bit_count));
  }
  const bool has_stray_bits = (bits & ((1U << bit_count) - 1)) != 0;
  if (has_stray_bits || bytes.size() > bytes_max) return std::nullopt;
  return bytes;
}

Field<32> sha256(BytesView data) {
  Field<32> digest{};
  SHA256(data.data(), data.size(), digest.data());
  return digest;
}

Field<48> sha384(BytesView data) {
  Field<48> digest{};
  SHA384(data.data(), data.size(), digest.data());
  return digest;
}

}  // namespace backplane::attestation

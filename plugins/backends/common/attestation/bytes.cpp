// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/bytes.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "common/sealing/hex.hpp"

namespace backplane::attestation {
namespace {

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

}  // namespace

BytesView bytes_of(std::string_view text) {
  return sealing::bytes_of(text);
}

std::string text_of(BytesView bytes) {
  return std::string(bytes.begin(), bytes.end());
}

bool is_zero(BytesView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::string to_hex(BytesView bytes) {
  return sealing::to_hex(bytes);
}

std::optional<Bytes> from_hex(std::string_view text, std::size_t bytes_max) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() / 2 > bytes_max) return std::nullopt;
  return sealing::from_hex(text);
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

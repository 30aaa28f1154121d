// SPDX-License-Identifier: Apache-2.0
// Bytes and the texts they travel as. Pure functions [any-thread].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::attestation {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;
template <std::size_t kSize>
using Field = std::array<std::uint8_t, kSize>;

BytesView bytes_of(std::string_view text);
std::string text_of(BytesView bytes);
bool is_zero(BytesView bytes);

// Lower case.
std::string to_hex(BytesView bytes);
// Digits of either case, after an optional 0x; nothing for an odd number of them or more than
// `bytes_max` bytes.
std::optional<Bytes> from_hex(std::string_view text, std::size_t bytes_max);
// Exactly kSize bytes.
template <std::size_t kSize>
std::optional<Field<kSize>> field_from_hex(std::string_view text) {
  const std::optional<Bytes> bytes = from_hex(text, kSize);
  if (!bytes || bytes->size() != kSize) return std::nullopt;
  Field<kSize> field{};
  for (std::size_t at = 0; at < kSize; ++at) field[at] = (*bytes)[at];
  return field;
}

// RFC 4648, section 4, with its padding; what has more than one encoding is taken in its only
// canonical one.
std::optional<Bytes> from_base64(std::string_view text, std::size_t bytes_max);

Field<32> sha256(BytesView data);
Field<48> sha384(BytesView data);

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// Bytes as hexadecimal text. Pure functions [any-thread].
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {

// In lower case.
std::string to_hex(std::span<const std::uint8_t> bytes);

// Of either case. Nothing: an odd number of digits, or something that is no digit.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

// `text` without a leading 0x.
std::string_view without_hex_prefix(std::string_view text);

// The bytes of a text, borrowed.
std::span<const std::uint8_t> bytes_of(std::string_view text);

}  // namespace backplane::sealing

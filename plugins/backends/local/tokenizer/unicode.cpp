// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/unicode.hpp"

#include <algorithm>
#include <cassert>

namespace backplane::local {
namespace {

// Length of the sequence a leading byte announces; 0 for a byte that leads none.
std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

bool is_valid(std::uint32_t value, std::size_t size) {
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return value >= kLeast[size] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  assert(!text.empty());
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = sequence_size(lead);
  if (size == 1) return {lead, 1};
  if (size == 0 || size > text.size()) return {kReplacement, 1};
  std::uint32_t value = lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {kReplacement, 1};
    value = (value << 6) | (next & 0x3fu);
  }
  return is_valid(value, size) ? CodePoint{value, size} : CodePoint{kReplacement, 1};
}

void append_utf8(std::uint32_t code_point, std::string& out) {
  const auto push = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) return push(code_point);
  if (code_point < 0x800) {
    push(0xc0 | (code_point >> 6));
  } else {
    if (code_point < 0x10000) {
      push(0xe0 | (code_point >> 12));
    } else {
      push(0xf0 | (code_point >> 18));
      push(0x80 | ((code_point >> 12) & 0x3f));
    }
    push(0x80 | ((code_point >> 6) & 0x3f));
  }
  push(0x80 | (code_point & 0x3f));
}

std::size_t incomplete_utf8_suffix(std::string_view text) {
  const std::size_t most = std::min<std::size_t>(3, text.size());
  for (std::size_t back = 1; back <= most; ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    return sequence_size(byte) > back ? back : 0;
  }
  return 0;
}

bool is_space(std::uint32_t code_point) {
  return (code_point >= 0x09 && code_point <= 0x0d) || code_point == 0x20 || code_point == 0x85 ||
         code_point == 0xa0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200a) || code_point == 0x2028 ||
         code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
         code_point == 0x3000;
}

}  // namespace backplane::local

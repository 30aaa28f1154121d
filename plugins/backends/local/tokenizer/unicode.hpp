// SPDX-License-Identifier: Apache-2.0
// The little Unicode that tokenizers need: decoding UTF-8 that may be invalid. Stateless; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::local {

inline constexpr std::uint32_t kReplacement = 0xfffd;

// A code point and the bytes it took. A byte that begins no valid sequence decodes to
// {kReplacement, 1}.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;
};
CodePoint decode_utf8(std::string_view text);
void append_utf8(std::uint32_t code_point, std::string& out);

// Bytes at the end of `text` that begin a sequence whose rest has not come yet: 0 to 3.
std::size_t incomplete_utf8_suffix(std::string_view text);

bool is_space(std::uint32_t code_point);

}  // namespace backplane::local

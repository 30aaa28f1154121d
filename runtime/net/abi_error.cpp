// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/abi_error.hpp"

#include <cstring>
#include <string_view>

namespace backplane {

namespace {

template <std::size_t Size>
void copy_text(std::string_view text, char (&target)[Size]) {
  std::size_t size = text.size();
  if (size >= Size) {
    size = Size - 1;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  }
  if (size != 0) std::memcpy(target, text.data(), size);
  target[size] = '\0';
}

}  // namespace

std::uint32_t report(const Error& error, bp_error* target) {
  const auto code = static_cast<std::uint32_t>(error.code);
  if (target == nullptr) return code;
  target->code = code;
  target->http_status = error.http_status;
  target->retry_after_ms = error.retry_after_ms;
  copy_text(error.type, target->type);
  copy_text(error.message, target->message);
  return code;
}

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
#include "sse.hpp"

#include <cassert>

namespace backplane::http {
namespace {

constexpr std::size_t kSizeDigits = 8;
constexpr std::size_t kRoom = kSizeDigits + 2;
constexpr std::size_t kKeptBytes = 65536;
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

void append_lines(std::string& out, std::string_view document) {
  for (;;) {
    const std::size_t end = document.find_first_of("\r\n");
    out += kEventOpen;
    out += document.substr(0, end);
    if (end == std::string_view::npos) break;
    out += '\n';
    const bool pair = document.substr(end, 2) == kLineEnd;
    document.remove_prefix(end + (pair ? 2 : 1));
  }
  out += kEventClose;
}

}  // namespace

void append_event(std::string& out, std::string_view document) {
  // Two searches for a character are many times faster than one for a set.
  if (document.find('\n') != std::string_view::npos ||
      document.find('\r') != std::string_view::npos) {
    append_lines(out, document);
    return;
  }
  out += kEventOpen;
  out += document;
  out += kEventClose;
}

void ChunkBuffer::open() {
  if (bytes_.capacity() > kKeptBytes) bytes_ = std::string();
  bytes_.assign(kRoom, ' ');
}

std::string_view ChunkBuffer::seal(bool chunked, bool last) {
  assert(bytes_.size() >= kRoom);
  std::size_t size = bytes_.size() - kRoom;
  assert(size >> (4 * kSizeDigits) == 0);
  if (!chunked) return std::string_view(bytes_).substr(kRoom);
  if (size == 0) return last ? kLastChunk : std::string_view();
  bytes_ += kLineEnd;
  if (last) bytes_ += kLastChunk;
  bytes_.replace(kSizeDigits, kLineEnd.size(), kLineEnd);
  std::size_t start = kSizeDigits;
  for (; size != 0; size >>= 4) bytes_[--start] = "0123456789abcdef"[size & 15];
  return std::string_view(bytes_).substr(start);
}

}  // namespace backplane::http

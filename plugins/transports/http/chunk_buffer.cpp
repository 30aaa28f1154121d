// SPDX-License-Identifier: Apache-2.0
#include "chunk_buffer.hpp"

#include <cassert>

namespace backplane::http {
namespace {

constexpr std::size_t kSizeDigits = 8;
constexpr std::size_t kRoom = kSizeDigits + 2;
constexpr std::size_t kKeptBytes = 65536;
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

void ChunkBuffer::open() {
  if (bytes_.capacity() > kKeptBytes) bytes_ = std::string();
  bytes_.assign(kRoom, ' ');
}

std::string_view ChunkBuffer::plain() const {
  assert(bytes_.size() >= kRoom);
  return std::string_view(bytes_).substr(kRoom);
}

std::string_view ChunkBuffer::seal(bool last) {
  assert(bytes_.size() >= kRoom);
  std::size_t size = bytes_.size() - kRoom;
  assert(size >> (4 * kSizeDigits) == 0);
  if (size == 0) return last ? kLastChunk : std::string_view();
  bytes_ += kLineEnd;
  if (last) bytes_ += kLastChunk;
  bytes_.replace(kSizeDigits, kLineEnd.size(), kLineEnd);
  std::size_t start = kSizeDigits;
  for (; size != 0; size >>= 4) bytes_[--start] = "0123456789abcdef"[size & 15];
  return std::string_view(bytes_).substr(start);
}

}  // namespace backplane::http

// SPDX-License-Identifier: Apache-2.0
#include "body_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace backplane::http {
namespace {

using Count = std::atomic<std::uint32_t>;
constexpr std::size_t kPaddingBytes = 64;
constexpr std::size_t kCountBytes = 16;
constexpr std::size_t kTrustedBytes = 1 << 20;  // announced lengths up to here are taken at once
constexpr std::size_t kFirstBytes = 4096;
static_assert(sizeof(Count) <= kCountBytes);

void retain_block(void* owner) {
  static_cast<Count*>(owner)->fetch_add(1, std::memory_order_relaxed);
}

void release_block(void* owner) {
  if (static_cast<Count*>(owner)->fetch_sub(1, std::memory_order_acq_rel) == 1) std::free(owner);
}

}  // namespace

BodyBuffer::~BodyBuffer() {
  clear();
}

void BodyBuffer::clear() {
  std::free(block_);
  block_ = nullptr;
  size_ = capacity_ = 0;
}

void BodyBuffer::expect(std::uint64_t length) {
  grow(std::min<std::uint64_t>(length, kTrustedBytes));
}

void BodyBuffer::append(std::string_view bytes) {
  if (capacity_ - size_ < bytes.size()) {
    grow(std::max({size_ + bytes.size(), capacity_ * 2, kFirstBytes}));
  }
  if (!bytes.empty()) std::memcpy(block_ + kCountBytes + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void BodyBuffer::grow(std::size_t capacity) {
  if (block_ != nullptr && capacity <= capacity_) return;
  void* block = std::realloc(block_, kCountBytes + capacity + kPaddingBytes);
  if (block == nullptr) throw std::bad_alloc();
  block_ = static_cast<char*>(block);
  capacity_ = capacity;
}

BufferRef BodyBuffer::take() {
  if (block_ == nullptr) grow(0);
  auto* count = new (block_) Count(1);
  char* data = block_ + kCountBytes;
  std::memset(data + size_, 0, kPaddingBytes);
  const bp_buffer buffer{data,  size_,         BP_MEMORY_HOST, kPaddingBytes,
                         count, &retain_block, &release_block};
  block_ = nullptr;
  size_ = capacity_ = 0;
  return BufferRef::adopt(buffer);
}

}  // namespace backplane::http

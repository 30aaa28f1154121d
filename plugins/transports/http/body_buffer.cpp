// SPDX-License-Identifier: Apache-2.0
#include "body_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace backplane::http {
namespace {

constexpr std::size_t kPaddingBytes = 64;
constexpr std::size_t kTrustedBytes = 1 << 20;  // announced lengths up to here are taken at once
constexpr std::size_t kFirstBytes = 4096;

// Stands in front of the bytes once they are handed on.
struct Owner {
  std::atomic<std::uint32_t> count{1};
  std::size_t charged = 0;
  std::shared_ptr<BodyBudget> budget;  // null: nothing was charged
};

void retain_block(void* owner) {
  static_cast<Owner*>(owner)->count.fetch_add(1, std::memory_order_relaxed);
}

void release_block(void* pointer) {
  auto* owner = static_cast<Owner*>(pointer);
  if (owner->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (owner->budget != nullptr) owner->budget->give(owner->charged);
  owner->~Owner();
  std::free(owner);
}

}  // namespace

BodyBuffer::~BodyBuffer() {
  clear();
}

void BodyBuffer::clear() {
  std::free(block_);
  if (charged_ != 0) budget_->give(charged_);
  block_ = nullptr;
  size_ = capacity_ = charged_ = 0;
}

void BodyBuffer::expect(std::uint64_t length) {
  grow(std::min<std::uint64_t>(length, kTrustedBytes));
}

bool BodyBuffer::append(std::string_view bytes) {
  if (capacity_ - size_ < bytes.size() &&
      !grow(std::max({size_ + bytes.size(), capacity_ * 2, kFirstBytes}))) {
    return false;
  }
  if (!bytes.empty()) std::memcpy(block_ + sizeof(Owner) + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

bool BodyBuffer::grow(std::size_t capacity) {
  if (block_ != nullptr && capacity <= capacity_) return true;
  const std::size_t charge = budget_ == nullptr || capacity <= kFreeBytes ? 0 : capacity;
  if (charge > charged_) {
    if (!budget_->take(charge - charged_)) return false;
    charged_ = charge;
  }
  void* block = std::realloc(block_, sizeof(Owner) + capacity + kPaddingBytes);
  if (block == nullptr) throw std::bad_alloc();
  block_ = static_cast<char*>(block);
  capacity_ = capacity;
  return true;
}

BufferRef BodyBuffer::take() {
  if (block_ == nullptr) grow(0);
  auto* owner = new (block_) Owner;
  if (charged_ != 0) owner->budget = budget_;
  owner->charged = charged_;
  char* data = block_ + sizeof(Owner);
  std::memset(data + size_, 0, kPaddingBytes);
  const bp_buffer buffer{data,  size_,         BP_MEMORY_HOST, kPaddingBytes,
                         owner, &retain_block, &release_block};
  block_ = nullptr;
  size_ = capacity_ = charged_ = 0;
  return BufferRef::adopt(buffer);
}

}  // namespace backplane::http

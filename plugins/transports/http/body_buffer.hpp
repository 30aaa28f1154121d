// SPDX-License-Identifier: Apache-2.0
// The bytes of one request's body, gathered in memory of their own and then handed on, counted.
#pragma once

#include "body_budget.hpp"

#include <backplane/plugin.hpp>

namespace backplane::http {

class BodyBuffer {
 public:
  // Bodies of up to this size cost the budget nothing.
  static constexpr std::size_t kFreeBytes = 64 * 1024;

  // `budget` is shared with what is handed on, which may outlive its instance; null: no bound.
  explicit BodyBuffer(std::shared_ptr<BodyBudget> budget = nullptr) : budget_(std::move(budget)) {}
  BodyBuffer(const BodyBuffer&) = delete;
  BodyBuffer& operator=(const BodyBuffer&) = delete;
  ~BodyBuffer();

  // `length` bytes are announced; memory is taken as they come where they are many.
  void expect(std::uint64_t length);
  // False where the budget is spent; the buffer is as before then.
  bool append(std::string_view bytes);
  void clear();

  // What was gathered, with 64 zero bytes behind it; the buffer is empty afterwards.
  BufferRef take();

 private:
  bool grow(std::size_t capacity);

  std::shared_ptr<BodyBudget> budget_;
  char* block_ = nullptr;  // its owner, then the bytes, then the padding
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t charged_ = 0;  // to the budget
};

}  // namespace backplane::http

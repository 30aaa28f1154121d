// SPDX-License-Identifier: Apache-2.0
// The bytes of one request's body, gathered in memory of their own and then handed on, counted.
#pragma once

#include <backplane/plugin.hpp>

namespace backplane::http {

class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(const BodyBuffer&) = delete;
  BodyBuffer& operator=(const BodyBuffer&) = delete;
  ~BodyBuffer();

  // `length` bytes are announced; memory is taken as they come where they are many.
  void expect(std::uint64_t length);
  void append(std::string_view bytes);
  void clear();

  // What was gathered, with 64 zero bytes behind it; the buffer is empty afterwards.
  BufferRef take();

 private:
  void grow(std::size_t capacity);

  char* block_ = nullptr;  // the count, then the bytes, then the padding
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace backplane::http

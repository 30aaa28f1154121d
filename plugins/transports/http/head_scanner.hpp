// SPDX-License-Identifier: Apache-2.0
// Finds the end of a request's head in bytes that come in pieces, and refuses at once what a strict
// reader refuses about lines: bare LF, folded lines, too much of anything.
#pragma once

#include <backplane/result.hpp>

#include <cstddef>
#include <string_view>

namespace backplane::http {

struct HeadLimits {
  std::size_t max_bytes;
  std::size_t max_headers;
};

class HeadScanner {
 public:
  enum class Outcome { kNeedMore, kComplete, kRefused };

  explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}

  // `consumed` is how many of the bytes belong to the head.
  Outcome scan(std::string_view bytes, std::size_t& consumed);

  // Of kRefused.
  const Error& error() const { return error_; }
  // Empty lines before the request line.
  std::size_t leading_bytes() const { return at_.leading_bytes; }
  bool started() const { return at_.bytes != 0; }
  void reset() { at_ = Position(); }

 private:
  bool starts_well(char first);
  bool count(std::size_t taken);
  bool close_line();
  bool refuse(std::uint32_t status, std::string_view code, const char* message);

  struct Position {
    std::size_t bytes = 0;
    std::size_t line_bytes = 0;
    std::size_t lines = 0;
    std::size_t leading_bytes = 0;
    char last = 0;
    bool complete = false;
  };

  HeadLimits limits_;
  Position at_;
  Error error_;
};

}  // namespace backplane::http

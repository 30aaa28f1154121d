// SPDX-License-Identifier: Apache-2.0
// The date header, made once a second. One for each loop: not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::http {

class DateLine {
 public:
  // "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"; borrowed until the next call.
  std::string_view at(std::int64_t unix_ns);

 private:
  std::int64_t second_ = -1;
  std::string line_;
};

}  // namespace backplane::http

// SPDX-License-Identifier: Apache-2.0
// Pieces of a stream to text: holds back a character until all its bytes have come, and replaces
// bytes that can never be one by U+FFFD, so that what comes out is always whole, valid UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace backplane::local {

class Detokenizer {
 public:
  // The text that is now certain.
  std::string push(std::string_view piece);
  // What was still held back, at the end of the stream.
  std::string flush();

 private:
  std::string pending_;
};

}  // namespace backplane::local

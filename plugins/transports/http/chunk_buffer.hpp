// SPDX-License-Identifier: Apache-2.0
// A part of a streamed body with room in front for what HTTP/1.1 writes there: filled and framed in
// one place, without a copy.
#pragma once

#include <string>
#include <string_view>

namespace backplane::http {

class ChunkBuffer {
 public:
  // Empties it; then append to text().
  void open();
  std::string& text() { return bytes_; }

  // What was appended.
  std::string_view plain() const;
  // The same as a chunk; `last` ends the body. Once after open; valid until open.
  std::string_view seal(bool last);

 private:
  std::string bytes_;
};

}  // namespace backplane::http

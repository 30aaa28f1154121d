// SPDX-License-Identifier: Apache-2.0
// Framing of a streamed response: server-sent events inside chunks of HTTP/1.1.
#pragma once

#include <string>
#include <string_view>

namespace backplane::http {

constexpr std::string_view kEventOpen = "data: ";
constexpr std::string_view kEventClose = "\n\n";
constexpr std::string_view kLastEvent = "data: [DONE]\n\n";

// Appends one event. A document that has line breaks takes several lines, as the format asks.
void append_event(std::string& out, std::string_view document);

// One chunk, filled in place: open, append to text(), seal.
class ChunkBuffer {
 public:
  void open();
  std::string& text() { return bytes_; }

  // The bytes to send; valid until open. `chunked` false: the text alone. `last` ends the body.
  std::string_view seal(bool chunked, bool last);

 private:
  std::string bytes_;
};

}  // namespace backplane::http

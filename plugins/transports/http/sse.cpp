// SPDX-License-Identifier: Apache-2.0
#include "sse.hpp"

namespace backplane::http {
namespace {

constexpr std::string_view kNameOpen = "event: ";
constexpr std::string_view kLineEnd = "\r\n";

void append_lines(std::string& out, std::string_view document) {
  for (;;) {
    const std::size_t end = document.find_first_of("\r\n");
    out += kEventOpen;
    out += document.substr(0, end);
    if (end == std::string_view::npos) break;
    out += '\n';
    const bool pair = document.substr(end, 2) == kLineEnd;
    document.remove_prefix(end + (pair ? 2 : 1));
  }
  out += kEventClose;
}

}  // namespace

void append_event(std::string& out, std::string_view document, std::string_view name) {
  if (!name.empty()) {
    out += kNameOpen;
    out += name;
    out += '\n';
  }
  // Two searches for a character are many times faster than one for a set.
  if (document.find('\n') != std::string_view::npos ||
      document.find('\r') != std::string_view::npos) {
    append_lines(out, document);
    return;
  }
  out += kEventOpen;
  out += document;
  out += kEventClose;
}

}  // namespace backplane::http

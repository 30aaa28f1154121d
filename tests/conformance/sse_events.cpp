// SPDX-License-Identifier: Apache-2.0
// An event stream on standard input, its events as JSON on standard output: the framer for suites
// that run a program.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/sse_framer.hpp"

namespace {

std::string read_all() {
  std::string text;
  std::array<char, 4096> piece{};
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), stdin)) {
    text.append(piece.data(), size);
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

int main() {
  const std::string input = read_all();
  backplane::dialect::SseFramer framer;
  framer.feed(input);
  std::string out;
  while (const auto event = framer.next()) {
    out += out.empty() ? "" : ",";
    const std::string_view name = event->name.empty() ? "message" : event->name;
    out += R"({"event":)" + quoted(name) + R"(,"data":)" + quoted(event->data);
    out += R"(,"lastEventId":""})";
  }
  std::printf("[%s]\n", out.c_str());
  return 0;
}

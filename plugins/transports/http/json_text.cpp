// SPDX-License-Identifier: Apache-2.0
#include "json_text.hpp"

#include <array>
#include <charconv>

namespace backplane::http {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// 0: stands for itself; 'u': \u00XX; else the letter after the backslash.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}
constexpr std::array<char, 256> kEscapes = make_escapes();

void append_escape(std::string& out, unsigned char byte, char escape) {
  out += '\\';
  out += escape;
  if (escape != 'u') return;
  out += "00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

void append_json_text(std::string& out, std::string_view utf8) {
  std::size_t run = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(utf8, run, i - run);
    append_escape(out, byte, escape);
    run = i + 1;
  }
  out.append(utf8, run);
}

void append_json_string(std::string& out, std::string_view utf8) {
  out += '"';
  append_json_text(out, utf8);
  out += '"';
}

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace backplane::http

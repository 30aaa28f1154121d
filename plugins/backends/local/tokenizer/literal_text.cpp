// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/literal_text.hpp"

#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

// Where the next name, or the beginning of one at the end of the text, begins.
std::size_t find_control(std::string_view text, std::size_t from, const Vocabulary& vocabulary) {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (vocabulary.begins_control(text.substr(at))) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string mark_literal(std::string_view text, const Vocabulary& vocabulary) {
  std::string out;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t at = find_control(text, begin, vocabulary);
    if (at == std::string_view::npos) return out.append(text.substr(begin));
    const std::size_t after = at + decode_utf8(text.substr(at)).size;
    out.append(text.substr(begin, after - begin));
    out += kLiteralMark;
    begin = after;
  }
}

bool has_control_names(std::string_view text, const Vocabulary& vocabulary) {
  return find_control(text, 0, vocabulary) != std::string_view::npos;
}

}  // namespace backplane::local

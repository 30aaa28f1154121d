// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/detokenizer.hpp"

#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    append_utf8(next.value, out);
    text.remove_prefix(next.size);
  }
  return out;
}

}  // namespace

std::string Detokenizer::push(std::string_view piece) {
  pending_ += piece;
  const std::size_t held = incomplete_utf8_suffix(pending_);
  std::string text = repaired(std::string_view(pending_).substr(0, pending_.size() - held));
  pending_.erase(0, pending_.size() - held);
  return text;
}

std::string Detokenizer::flush() {
  std::string text = repaired(pending_);
  pending_.clear();
  return text;
}

}  // namespace backplane::local

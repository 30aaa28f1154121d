// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/json_value_end.hpp"

namespace backplane::local {
namespace {

constexpr std::string_view kAfterWord = ",]} \t\r\n";

}  // namespace

std::size_t JsonValueEnd::push(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (state_ != ScanState::kMore) return i;
    if (in_word_ && kAfterWord.find(text[i]) != std::string_view::npos) {
      state_ = ScanState::kDone;
      return i;
    }
    take(text[i]);
  }
  return text.size();
}

void JsonValueEnd::take(char c) {
  const bool first = !begun_;
  begun_ = true;
  if (in_word_) return;
  if (in_string_) {
    if (c == '"' && !escaped_) in_string_ = false;
    escaped_ = c == '\\' && !escaped_;
    if (!in_string_ && open_.empty()) state_ = ScanState::kDone;
    return;
  }
  switch (c) {
    case '"':
      in_string_ = true;
      return;
    case '{':
    case '[':
      open_ += c == '{' ? '}' : ']';
      if (open_.size() > kOutputDepthMax) state_ = ScanState::kBad;
      return;
    case '}':
    case ']':
      if (open_.empty() || open_.back() != c) {
        state_ = ScanState::kBad;
        return;
      }
      open_.pop_back();
      if (open_.empty()) state_ = ScanState::kDone;
      return;
    default:
      in_word_ = first;
  }
}

}  // namespace backplane::local

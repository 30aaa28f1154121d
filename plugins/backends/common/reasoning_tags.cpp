// SPDX-License-Identifier: Apache-2.0
#include "common/reasoning_tags.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace backplane::dialect {
namespace {

struct Tags {
  std::string_view open;
  std::string_view close;
};

// None begins again inside itself: after a mismatch the next can begin with the last character
// only.
constexpr std::array kTags{
    Tags{"<think>", "</think>"},
    Tags{"<thinking>", "</thinking>"},
    Tags{"[THINK]", "[/THINK]"},
    Tags{"<seed:think>", "</seed:think>"},
    Tags{"<|START_THINKING|>", "<|END_THINKING|>"},
};

bool is_space(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

char unescaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    default:
      return letter == '/' ? '/' : '\0';
  }
}

char ascii_of(std::string_view hex) {
  unsigned value = 0;
  const auto parsed = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  const bool is_ascii = parsed.ec == std::errc() && parsed.ptr == hex.data() + hex.size();
  return is_ascii && value < 0x80 ? static_cast<char>(value) : '\0';
}

}  // namespace

TagSplitter::Letter TagSplitter::take_letter(std::string_view text) {
  if (text.front() != '\\' || text.size() < 2) return {text.substr(0, 1), text.front()};
  if (text[1] != 'u') return {text.substr(0, 2), unescaped(text[1])};
  const std::string_view json = text.substr(0, 6);
  return {json, ascii_of(json.substr(2))};
}

TagSplitter::Parts TagSplitter::push(std::string_view text) {
  Parts parts;
  while (!text.empty() && at_ != At::kAnswer) {
    const Letter letter = take_letter(text);
    text.remove_prefix(letter.json.size());
    read(letter, parts);
  }
  parts.content += text;
  return parts;
}

void TagSplitter::read(const Letter& letter, Parts& parts) {
  switch (at_) {
    case At::kStart:
      return read_start(letter, parts);
    case At::kThinking:
      return read_thought(letter, parts);
    case At::kBehind:
      if (is_space(letter.is)) return;
      at_ = At::kAnswer;
      [[fallthrough]];
    case At::kAnswer:
      parts.content += letter.json;
  }
}

void TagSplitter::read_start(const Letter& letter, Parts& parts) {
  held_ += letter.json;
  const bool is_margin = tag_.empty() && is_space(letter.is);
  if (is_margin && held_.size() <= kHeldSpaceMaxBytes) return;
  tag_ += letter.is;
  for (const Tags& tags : kTags) {
    if (tags.open == tag_) return begin_thinking(tags.close);
    if (tags.open.substr(0, tag_.size()) == tag_) return;
  }
  be_no_tag(parts);
}

void TagSplitter::begin_thinking(std::string_view close) {
  at_ = At::kThinking;
  close_ = close;
  held_.clear();
  tag_.clear();
}

// What was held is read once more for what it is now: an answer, or thoughts of which the tag is
// missing.
void TagSplitter::be_no_tag(Parts& parts) {
  const std::string held = held_;
  if (is_opened_) {
    begin_thinking(kTags[0].close);
  } else {
    at_ = At::kAnswer;
    held_.clear();
    tag_.clear();
  }
  parts.add(push(held));
}

void TagSplitter::read_thought(const Letter& letter, Parts& parts) {
  const bool goes_on = letter.is == close_[tag_.size()];
  if (!goes_on && !tag_.empty()) {
    tell_thought(parts);
    return read_thought(letter, parts);
  }
  if (goes_on) {
    held_ += letter.json;
    tag_ += letter.is;
    if (tag_.size() < close_.size()) return;
    at_ = At::kBehind;
    held_.clear();
    tag_.clear();
  } else if (!is_space(letter.is)) {
    held_ += letter.json;
    tell_thought(parts);
  } else if (has_thought_) {
    held_ += letter.json;
    if (held_.size() > kHeldSpaceMaxBytes) tell_thought(parts);
  }
}

void TagSplitter::tell_thought(Parts& parts) {
  has_thought_ = true;
  parts.reasoning += held_;
  held_.clear();
  tag_.clear();
}

TagSplitter::Parts TagSplitter::finish() {
  Parts parts;
  const bool is_margin = at_ == At::kThinking && tag_.empty();
  if (!is_margin) (at_ == At::kThinking ? parts.reasoning : parts.content) = held_;
  at_ = At::kAnswer;
  held_.clear();
  tag_.clear();
  return parts;
}

}  // namespace backplane::dialect

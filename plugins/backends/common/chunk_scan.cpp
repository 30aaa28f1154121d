// SPDX-License-Identifier: Apache-2.0
#include "common/chunk_scan.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/chunk_reader.hpp"

namespace backplane::dialect {
namespace {

bool is_space(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_absent(std::string_view value) {
  return starts_with(value, "null") || starts_with(value, "\"\"");
}

bool is_zero(std::string_view value) {
  return starts_with(value, "0") && (value.size() == 1 || std::strchr(",}] \r\n\t", value[1]));
}

// The text of a string without escapes; empty: it is no string, or cannot be told here.
std::string_view text_of(std::string_view value) {
  if (!starts_with(value, "\"")) return {};
  value.remove_prefix(1);
  return value.substr(0, std::min(value.find('"'), value.size()));
}

class Scan {
 public:
  explicit Scan(Completion completion) : is_typed_(completion == Completion::kTypes) {}

  // `before` ends with the key's closing quote.
  void key(std::string_view before, std::string_view value) {
    const auto is = [&](std::string_view name) {
      return before.size() > name.size() + 1 && before[before.size() - name.size() - 2] == '"' &&
             std::memcmp(before.data() + before.size() - name.size() - 1, name.data(),
                         name.size()) == 0;
    };
    if (before.size() < 2) return;
    switch (before[before.size() - 2]) {
      case 'n':
        if (is("finish_reason")) finish_reason(value);
        break;
      case 'x':
        if (is("index")) index(value);
        break;
      case 'e':
        if (is("usage")) usage(value);
        if (is_typed_ && is("type")) signs_.needs_parse |= is_last_type(text_of(value));
        break;
      case 'r':
        if (is("error")) signs_.needs_parse |= !is_absent(value);
        break;
      case 't':
        if (is("object")) signs_.needs_parse |= text_of(value) == "error";
        if (is("reasoning_content")) {
          ++reasoning_count_;
          has_reasoning_content_ |= !is_absent(value);
        }
        break;
      case 'g':
        if (is("reasoning")) {
          ++reasoning_count_;
          signs_.reasoning_at = before.size() - std::strlen("\"reasoning\"");
          has_reasoning_ |= starts_with(value, "\"") && !is_absent(value);
        }
        break;
      case 's':
        if (is("choices")) signs_.may_need_changes |= starts_with(value, "null");
        if (is("tool_calls")) tool_calls(value);
        if (is("arguments")) has_odd_arguments_ |= !starts_with(value, "\"");
        break;
      case 'd':
        if (is("id")) has_call_id_ |= has_tool_calls_;
        break;
      case 'q':
        has_x_groq_ |= is("x_groq");
        break;
      default:
        break;
    }
  }

  ChunkSigns result() {
    if (is_typed_) {
      signs_.may_need_changes = false;
      return signs_;
    }
    // A piece of a call that is begun already has two indexes, the choice's and its own, and no id.
    signs_.is_plain_reasoning = has_reasoning_ && reasoning_count_ == 1 && !has_tool_calls_ &&
                                !has_x_groq_ && !signs_.may_need_changes;
    const bool is_plain_piece = index_count_ >= 2 && !has_call_id_ && !has_odd_arguments_;
    signs_.may_need_changes |= (has_reasoning_ && !has_reasoning_content_) ||
                               (has_tool_calls_ && !is_plain_piece) || (has_x_groq_ && has_usage_);
    return signs_;
  }

 private:
  void finish_reason(std::string_view value) {
    signs_.has_choice = true;
    if (starts_with(value, "null")) return;
    signs_.says_stop |= text_of(value) == "stop";
    signs_.may_need_changes |= !is_known_finish(text_of(value));
    signs_.needs_parse |= !is_absent(value);
  }
  void index(std::string_view value) {
    signs_.has_choice = true;
    signs_.has_other_choice |= !is_zero(value);
    signs_.needs_parse |= !is_zero(value);
    ++index_count_;
  }
  void usage(std::string_view value) {
    if (is_absent(value)) return;
    has_usage_ = true;
    signs_.needs_parse = true;
  }
  void tool_calls(std::string_view value) {
    if (!starts_with(value, "[")) return;
    const std::size_t first = std::min(value.find_first_not_of(" \t\r\n", 1), value.size());
    has_tool_calls_ |= value.substr(first, 1) != "]";
  }

  const bool is_typed_;
  ChunkSigns signs_;
  unsigned index_count_ = 0;
  unsigned reasoning_count_ = 0;  // of keys
  bool has_usage_ = false;
  bool has_x_groq_ = false;
  bool has_reasoning_ = false;
  bool has_reasoning_content_ = false;
  bool has_tool_calls_ = false;
  bool has_call_id_ = false;
  bool has_odd_arguments_ = false;
};

}  // namespace

ChunkSigns scan_chunk(std::string_view document, Completion completion) {
  Scan scan(completion);
  const char* const begin = document.data();
  const char* const end = begin + document.size();
  for (const char* at = begin; at != end; ++at) {
    at = static_cast<const char*>(std::memchr(at, ':', static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    const char* key_end = at;
    while (key_end != begin && is_space(key_end[-1])) --key_end;
    if (key_end == begin || key_end[-1] != '"') continue;
    const char* value = at + 1;
    while (value != end && is_space(*value)) ++value;
    scan.key({begin, static_cast<std::size_t>(key_end - begin)},
             {value, static_cast<std::size_t>(end - value)});
  }
  return scan.result();
}

bool is_known_finish(std::string_view reason) {
  return reason == "stop" || reason == "length" || reason == "tool_calls" ||
         reason == "content_filter";
}

}  // namespace backplane::dialect

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/word_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kPatternBytesMax = 16 * 1024;
constexpr std::uint32_t kSubjectOptions = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
using MatchData = std::unique_ptr<pcre2_match_data, FreeMatch>;

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

Error refused(std::string_view pattern, const std::string& why) {
  constexpr std::size_t kShownBytesMax = 80;
  return invalid_argument("the pattern " + std::string(pattern.substr(0, kShownBytesMax)) + " " +
                          why);
}

}  // namespace

struct WordPattern::Code {
  pcre2_code* compiled;
};

void WordPattern::Free::operator()(Code* code) const {
  pcre2_code_free(code->compiled);
  delete code;
}

Result<WordPattern> WordPattern::compile(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return refused(pattern, "is longer than 16 KiB");
  // Means an intersection of classes to the engines of those who wrote it, two letters to this one.
  if (pattern.find("&&") != std::string_view::npos) {
    return refused(pattern, "has an intersection of classes (&&), which is not supported");
  }
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* compiled =
      pcre2_compile(units(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP, &code, &offset, nullptr);
  if (compiled == nullptr) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(code, message.data(), message.size());
    return refused(pattern, "is wrong at byte " + std::to_string(offset) + ": " +
                                reinterpret_cast<const char*>(message.data()));
  }
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);  // where it may not, matching is slower
  return WordPattern(new Code{compiled});
}

void WordPattern::split(std::string_view text, std::vector<std::string_view>& out) const {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = decode_utf8(text.substr(at));
    if (next.value == kReplacement && next.size == 1) {
      split_valid(text.substr(begin, at - begin), out);
      out.push_back(text.substr(at, 1));
      begin = at + 1;
    }
    at += next.size;
  }
  split_valid(text.substr(begin), out);
}

void WordPattern::split_valid(std::string_view text, std::vector<std::string_view>& out) const {
  const MatchData data(pcre2_match_data_create_from_pattern(code_->compiled, nullptr));
  std::size_t begin = 0;
  while (begin < text.size()) {
    int found = pcre2_match(code_->compiled, units(text), text.size(), begin, kSubjectOptions,
                            data.get(), nullptr);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      found = pcre2_match(code_->compiled, units(text), text.size(), begin,
                          kSubjectOptions | PCRE2_NO_JIT, data.get(), nullptr);
    }
    if (found < 0) break;
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
    if (range[0] < begin || range[1] <= range[0]) break;  // \K and the like
    if (range[0] > begin) out.push_back(text.substr(begin, range[0] - begin));
    out.push_back(text.substr(range[0], range[1] - range[0]));
    begin = range[1];
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
}

}  // namespace backplane::local

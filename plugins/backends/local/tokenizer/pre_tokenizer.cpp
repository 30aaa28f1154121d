// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/pre_tokenizer.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {
namespace {

enum class Class : unsigned char { kLetter, kNumber, kSpace, kOther };

struct Unit {
  std::uint32_t code_point;
  Class category;
  std::size_t offset;  // in bytes
};
using Units = std::span<const Unit>;

// Units a rule takes from the front; 0 when it does not match there.
using Rule = std::size_t (*)(Units text);

Class classify(std::uint32_t code_point) {
  if (is_letter(code_point)) return Class::kLetter;
  if (is_number(code_point)) return Class::kNumber;
  return is_space(code_point) ? Class::kSpace : Class::kOther;
}

bool is_newline(const Unit& unit) {
  return unit.code_point == '\r' || unit.code_point == '\n';
}

template <class Predicate>
std::size_t run(Units text, std::size_t from, const Predicate& matches,
                std::size_t most = SIZE_MAX) {
  std::size_t end = from;
  while (end < text.size() && end - from < most && matches(text[end])) ++end;
  return end - from;
}

std::size_t run_of(Units text, std::size_t from, Class category, std::size_t most = SIZE_MAX) {
  return run(
      text, from, [&](const Unit& unit) { return unit.category == category; }, most);
}

// 's 't 're 've 'm 'll 'd
std::size_t contraction(Units text, bool any_case) {
  if (text.size() < 2 || text[0].code_point != '\'') return 0;
  const auto letter = [&](std::size_t i) -> char {
    const std::uint32_t c = i < text.size() ? text[i].code_point : 0;
    if (any_case && c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c < 128 ? static_cast<char>(c) : '\0';
  };
  const char first = letter(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  const char second = letter(2);
  const bool two = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
                   (first == 'l' && second == 'l');
  return two ? 3 : 0;
}

// \s+(?!\S)|\s+
std::size_t spaces(Units text) {
  const std::size_t size = run_of(text, 0, Class::kSpace);
  return size > 1 && size < text.size() ? size - 1 : size;
}

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
std::size_t gpt2_word(Units text) {
  if (const std::size_t size = contraction(text, false); size > 0) return size;
  const std::size_t lead = text[0].code_point == ' ' && text.size() > 1 ? 1 : 0;
  if (text[lead].category == Class::kSpace) return spaces(text);
  return lead + run_of(text, lead, text[lead].category);
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}|
// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
template <std::size_t kDigits>
std::size_t llama3_word(Units text) {
  if (const std::size_t size = contraction(text, true); size > 0) return size;
  const Unit& first = text[0];
  if (first.category == Class::kNumber) return run_of(text, 0, Class::kNumber, kDigits);
  const std::size_t before = first.category == Class::kLetter || is_newline(first) ? 0 : 1;
  if (const std::size_t size = run_of(text, before, Class::kLetter); size > 0) {
    return before + size;
  }
  const std::size_t lead = first.code_point == ' ' ? 1 : 0;
  if (const std::size_t size = run_of(text, lead, Class::kOther); size > 0) {
    return lead + size + run(text, lead + size, is_newline);
  }
  std::size_t end = run_of(text, 0, Class::kSpace);
  while (end > 0 && !is_newline(text[end - 1])) --end;
  return end > 0 ? end : spaces(text);
}

// \p{N}
std::size_t one_number(Units text) {
  return run_of(text, 0, Class::kNumber, 1);
}
// \p{N}+
std::size_t numbers(Units text) {
  return run_of(text, 0, Class::kNumber);
}

// [0-9][0-9][0-9]
std::size_t three_digits(Units text) {
  const auto is_digit = [](const Unit& unit) {
    return unit.code_point >= '0' && unit.code_point <= '9';
  };
  return run(text, 0, is_digit, 3) == 3 ? 3 : 0;
}

// [\p{P}\$\+<=>\^~\|]+
std::size_t punctuation(Units text) {
  return run(text, 0, [](const Unit& unit) {
    constexpr std::string_view kSymbols = "$+<=>^~|";
    const std::uint32_t c = unit.code_point;
    return is_punctuation(c) ||
           (c < 128 && kSymbols.find(static_cast<char>(c)) != std::string_view::npos);
  });
}

// [\p{P}\$\+<=>\^~\|`]+
std::size_t punctuation_or_backtick(Units text) {
  std::size_t size = 0;
  for (;;) {
    const std::size_t more = size < text.size() ? punctuation(text.subspan(size)) : 0;
    const bool backtick = size + more < text.size() && text[size + more].code_point == '`';
    size += more + (backtick ? 1 : 0);
    if (!backtick) return size;
  }
}

// [\r\n]
std::size_t newline(Units text) {
  return run(text, 0, is_newline, 1);
}

// \s?\p{L}+
std::size_t spaced_letters(Units text) {
  const std::size_t lead = text[0].category == Class::kSpace ? 1 : 0;
  const std::size_t size = run_of(text, lead, Class::kLetter);
  return size > 0 ? lead + size : 0;
}

// \s?\p{P}+
std::size_t spaced_punctuation(Units text) {
  const std::size_t lead = text[0].category == Class::kSpace ? 1 : 0;
  const std::size_t size =
      run(text, lead, [](const Unit& unit) { return is_punctuation(unit.code_point); });
  return size > 0 ? lead + size : 0;
}

// CJK and Hangul: U+0800 to U+9FA5 and U+AC00 to U+D7FF.
std::size_t east_asian(Units text) {
  return run(text, 0, [](const Unit& unit) {
    return (unit.code_point >= 0x800 && unit.code_point <= 0x9fa5) ||
           (unit.code_point >= 0xac00 && unit.code_point <= 0xd7ff);
  });
}

void apply(Rule rule, Units text, std::vector<Units>& out) {
  std::size_t gap = 0;
  std::size_t position = 0;
  const auto close_gap = [&] {
    if (position > gap) out.push_back(text.subspan(gap, position - gap));
  };
  while (position < text.size()) {
    const std::size_t size = rule(text.subspan(position));
    if (size == 0) {
      ++position;
      continue;
    }
    close_gap();
    out.push_back(text.subspan(position, size));
    position += size;
    gap = position;
  }
  close_gap();
}

}  // namespace

struct PreTokenizer {
  std::string_view name;
  std::array<Rule, 5> rules;  // applied one after the other, each to the last one's pieces
  bool whole_words = false;
  bool adds_bos = false;
};

namespace {

constexpr PreTokenizer kPreTokenizers[] = {
    {"default", {punctuation, gpt2_word, numbers, three_digits}},
    {"llama-bpe", {llama3_word<3>}, true, true},
    {"llama3", {llama3_word<3>}, true, true},
    {"llama-v3", {llama3_word<3>}, true, true},
    {"gpt-2", {gpt2_word}},
    {"gpt2", {gpt2_word}},
    {"mpt", {gpt2_word}},
    {"olmo", {gpt2_word}},
    {"jais", {gpt2_word}},
    {"phi-2", {gpt2_word}},
    {"qwen2", {llama3_word<1>}},
    {"deepseek-r1-qwen", {llama3_word<1>}},
    {"stablelm2", {llama3_word<1>}},
    {"starcoder", {one_number, gpt2_word}},
    {"refact", {one_number, gpt2_word}},
    {"command-r", {one_number, gpt2_word}},
    {"smollm", {one_number, gpt2_word}},
    {"codeshell", {one_number, gpt2_word}},
    {"falcon", {punctuation_or_backtick, gpt2_word, three_digits}},
    {"deepseek-coder", {newline, spaced_letters, spaced_punctuation, east_asian, one_number}},
};

}  // namespace

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  const auto* found = std::find_if(std::begin(kPreTokenizers), std::end(kPreTokenizers),
                                   [&](const PreTokenizer& rules) { return rules.name == name; });
  return found == std::end(kPreTokenizers) ? nullptr : found;
}

bool takes_whole_words(const PreTokenizer& rules) {
  return rules.whole_words;
}
bool adds_bos_by_default(const PreTokenizer& rules) {
  return rules.adds_bos;
}

std::vector<std::string_view> split_words(const PreTokenizer& rules, std::string_view text) {
  std::vector<Unit> units;
  for (std::size_t offset = 0; offset < text.size();) {
    const CodePoint next = decode_utf8(text.substr(offset));
    units.push_back({next.value, classify(next.value), offset});
    offset += next.size;
  }
  std::vector<Units> pieces = {units};
  for (const Rule rule : rules.rules) {
    if (rule == nullptr) break;
    std::vector<Units> smaller;
    for (const Units piece : pieces) apply(rule, piece, smaller);
    pieces = std::move(smaller);
  }
  std::vector<std::string_view> words;
  for (const Units piece : pieces) {
    const auto end = static_cast<std::size_t>(piece.data() - units.data()) + piece.size();
    const std::size_t end_offset = end < units.size() ? units[end].offset : text.size();
    words.push_back(text.substr(piece[0].offset, end_offset - piece[0].offset));
  }
  return words;
}

}  // namespace backplane::local

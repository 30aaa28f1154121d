// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/regex_parser.hpp"

#include <algorithm>
#include <optional>

#include "plugins/backends/local/structured/grammar.hpp"

namespace backplane::local {
namespace {

using Kind = RegexTree::Kind;

const CodePoints kDigits{{'0', '9'}};
const CodePoints kWord{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CodePoints kSpace{{'\t', '\r'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                        {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                        {0x3000, 0x3000}, {0xfeff, 0xfeff}};
const CodePoints kLineEnds{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(pattern) {}

  Result<RegexTree> parse() {
    auto tree = parse_choice();
    if (tree && !at_end()) return fault("has a \")\" without its \"(\"");
    return tree;
  }

 private:
  bool at_end() const { return at_ >= pattern_.size(); }
  char peek() const { return at_end() ? '\0' : pattern_[at_]; }
  bool take(std::string_view text) {
    if (!pattern_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  Error fault(std::string_view what) const {
    return invalid_argument(std::string(what) + " (byte " + std::to_string(at_) + ")");
  }

  Result<RegexTree> parse_choice() {
    RegexTree choice{Kind::kChoice, {}, {}, 0, 0};
    do {
      auto sequence = parse_sequence();
      if (!sequence) return sequence;
      choice.children.push_back(std::move(*sequence));
    } while (take("|"));
    return choice.children.size() == 1 ? std::move(choice.children[0]) : std::move(choice);
  }

  Result<RegexTree> parse_sequence() {
    RegexTree sequence;
    while (!at_end() && peek() != '|' && peek() != ')') {
      auto atom = parse_atom();
      if (!atom) return atom;
      auto whole = parse_quantifier(std::move(*atom));
      if (!whole) return whole;
      sequence.children.push_back(std::move(*whole));
    }
    return sequence;
  }

  Result<RegexTree> parse_quantifier(RegexTree atom) {
    std::uint32_t min = 0, max = kRepeatUnbounded;
    const std::size_t before = at_;
    if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (!take("*")) {
      const auto counts = parse_counts();
      if (!counts) return atom;
      std::tie(min, max) = *counts;
    }
    take("?");  // lazy: the same texts
    if (atom.kind == Kind::kBegin || atom.kind == Kind::kEnd || max < min) {
      at_ = before;
      return fault("has a quantifier where none may be");
    }
    if (peek() == '*' || peek() == '+' || peek() == '?') return fault("has two quantifiers");
    RegexTree repeat{Kind::kRepeat, {}, {}, min, max};
    repeat.children.push_back(std::move(atom));
    return repeat;
  }

  // {2}, {2,} or {2,3}; a brace that is none of them is a character.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_counts() {
    const std::size_t before = at_;
    if (!take("{")) return std::nullopt;
    const auto min = parse_count();
    auto max = min;
    if (min && take(",")) max = peek() == '}' ? kRepeatUnbounded : parse_count();
    if (min && max && take("}")) return std::pair(*min, *max);
    at_ = before;
    return std::nullopt;
  }

  std::optional<std::uint32_t> parse_count() {
    std::uint64_t count = 0;
    const std::size_t before = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      count = std::min<std::uint64_t>(count * 10 + static_cast<std::uint64_t>(peek() - '0'),
                                      kRepeatUnbounded - 1);
    }
    if (at_ == before) return std::nullopt;
    return static_cast<std::uint32_t>(count);
  }

  Result<RegexTree> parse_atom() {
    if (take("^")) return RegexTree{Kind::kBegin, {}, {}, 0, 0};
    if (take("$")) return RegexTree{Kind::kEnd, {}, {}, 0, 0};
    if (take("(")) return parse_group();
    if (take("[")) return parse_class();
    if (take(".")) return of_class(invert(kLineEnds));
    if (peek() == '*' || peek() == '+' || peek() == '?') return fault("has nothing to repeat");
    if (take("\\")) {
      auto ranges = parse_escape(false);
      if (!ranges) return ranges.error();
      return of_class(std::move(*ranges));
    }
    const auto code = take_code_point();
    return of_class({{code, code}});
  }

  Result<RegexTree> parse_group() {
    static constexpr std::string_view kRefused[] = {"?=", "?!", "?<=", "?<!"};
    for (const std::string_view opening : kRefused) {
      if (take(opening)) return fault("uses look-around, which is not supported");
    }
    if (take("?<")) {
      while (!at_end() && peek() != '>') ++at_;
      if (!take(">")) return fault("has a group name that does not end");
    } else if (!take("?:") && peek() == '?') {
      return fault("uses a group \"(?\" that is not supported");
    }
    if (++depth_ > kPatternDepthMax) return fault("has groups that are nested too deeply");
    auto inner = parse_choice();
    --depth_;
    if (inner && !take(")")) return fault("has a \"(\" without its \")\"");
    return inner;
  }

  Result<RegexTree> parse_class() {
    const bool inverted = take("^");
    CodePoints ranges;
    while (!take("]")) {
      if (at_end()) return fault("has a \"[\" without its \"]\"");
      auto low = parse_class_atom();
      if (!low) return low.error();
      const bool is_range = peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
      if (!is_range || !is_single(*low)) {
        ranges.insert(ranges.end(), low->begin(), low->end());
        continue;
      }
      ++at_;
      auto high = parse_class_atom();
      if (!high) return high.error();
      if (!is_single(*high)) {  // "[a-\d]": the hyphen is a character
        ranges.insert(ranges.end(), low->begin(), low->end());
        ranges.insert(ranges.end(), high->begin(), high->end());
        ranges.emplace_back('-', '-');
      } else if (high->front().first < low->front().first) {
        return fault("has a range whose end is before its beginning");
      } else {
        ranges.emplace_back(low->front().first, high->front().first);
      }
    }
    return of_class(inverted ? invert(std::move(ranges)) : std::move(ranges));
  }

  static bool is_single(const CodePoints& ranges) {
    return ranges.size() == 1 && ranges[0].first == ranges[0].second;
  }

  Result<CodePoints> parse_class_atom() {
    if (take("\\")) return parse_escape(true);
    const auto code = take_code_point();
    return CodePoints{{code, code}};
  }

  Result<CodePoints> parse_escape(bool in_class) {
    if (at_end()) return fault("ends with a backslash");
    const char name = pattern_[at_++];
    switch (name) {
      case 'd':
        return kDigits;
      case 'D':
        return invert(kDigits);
      case 'w':
        return kWord;
      case 'W':
        return invert(kWord);
      case 's':
        return kSpace;
      case 'S':
        return invert(kSpace);
      case 'n':
        return single('\n');
      case 'r':
        return single('\r');
      case 't':
        return single('\t');
      case 'f':
        return single('\f');
      case 'v':
        return single('\v');
      case 'x':
        return parse_hex(2);
      case 'u':
        return parse_unicode();
      case '0':
        if (peek() < '0' || peek() > '9') return single(0);
        break;
      case 'b':
        if (in_class) return single('\b');
        break;
      case 'c':
        if (std::isalpha(static_cast<unsigned char>(peek())) != 0) {
          return single(static_cast<std::uint32_t>(pattern_[at_++]) & 31u);
        }
        break;
      default:
        if (std::isalnum(static_cast<unsigned char>(name)) == 0 && (name & 0x80) == 0) {
          return single(static_cast<std::uint32_t>(name));
        }
    }
    return fault(std::string("uses \"\\") + name + "\", which is not supported");
  }

  static CodePoints single(std::uint32_t code) { return {{code, code}}; }

  Result<CodePoints> parse_hex(std::size_t digits) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char digit = peek();
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) {
        return fault("has an escape with too few digits");
      }
      code = code * 16 + static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : (digit & 7) + 9);
      ++at_;
    }
    return single(code);
  }

  Result<CodePoints> parse_unicode() {
    if (take("{")) {
      const std::size_t end = std::min(pattern_.find('}', at_), pattern_.size());
      if (end - at_ < 1 || end - at_ > 6) return fault("has an escape that is no character");
      auto code = parse_hex(end - at_);
      take("}");
      if (code && code->front().first > 0x10ffff) return fault("has an escape above U+10FFFF");
      return code;
    }
    auto high = parse_hex(4);
    if (!high || (high->front().first & ~0x3ffu) != 0xd800 || !take("\\u")) return high;
    auto low = parse_hex(4);
    if (!low || (low->front().first & ~0x3ffu) != 0xdc00) return fault("has half a surrogate pair");
    return single(0x10000 + ((high->front().first & 0x3ff) << 10) + (low->front().first & 0x3ff));
  }

  // The pattern is valid UTF-8: it comes out of a JSON string.
  std::uint32_t take_code_point() {
    const auto lead = static_cast<std::uint8_t>(pattern_[at_++]);
    const std::size_t more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    std::uint32_t code = more == 0 ? lead : lead & (0x3fu >> more);
    for (std::size_t i = 0; i < more && !at_end(); ++i) {
      code = code << 6 | (static_cast<std::uint32_t>(pattern_[at_++]) & 0x3f);
    }
    return code;
  }

  static RegexTree of_class(CodePoints ranges) {
    return {Kind::kClass, std::move(ranges), {}, 0, 0};
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

CodePoints invert(CodePoints ranges) {
  std::sort(ranges.begin(), ranges.end());
  CodePoints out;
  std::uint32_t next = 0;
  for (const auto& [low, high] : ranges) {
    if (low > next) out.emplace_back(next, low - 1);
    next = std::max(next, high + 1);
  }
  if (next <= 0x10ffff) out.emplace_back(next, 0x10ffff);
  return out;
}

Result<RegexTree> parse_regex(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) {
    return invalid_argument("has more than " + std::to_string(kPatternBytesMax) + " bytes");
  }
  return Parser(pattern).parse();
}

}  // namespace backplane::local

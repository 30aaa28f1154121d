// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/chat_template/template_lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace backplane::local {
namespace {

using Kind = TemplateToken::Kind;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_white(char c) {
  return is_blank(c) || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr std::array<std::string_view, 25> kOperators = {
    "==", "!=", "<=", ">=", "//", "**", "(", ")", "[", "]", "{", "}", ".",
    ",",  ":",  "|",  "~",  "+",  "-",  "*", "/", "%", "<", ">", "="};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {
    // One newline at the very end is the editor's, not the template's.
    if (source_.ends_with('\n')) source_.remove_suffix(1);
  }

  Result<std::vector<TemplateToken>> run() {
    while (!error_ && position_ < source_.size()) read_text();
    if (error_) return *error_;
    push(Kind::kEnd, {});
    return std::move(tokens_);
  }

 private:
  void push(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  void fail(const std::string& what) {
    if (!error_) error_ = template_error(line_, what);
  }
  char at(std::size_t ahead) const {
    return position_ + ahead < source_.size() ? source_[position_ + ahead] : '\0';
  }
  void advance(std::size_t count) {
    const std::string_view passed = source_.substr(position_, count);
    line_ += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
    position_ += passed.size();
  }

  std::size_t find_tag() const {
    for (std::size_t i = position_; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && std::string_view("{%#").find(source_[i + 1]) != std::string::npos) {
        return i;
      }
    }
    return source_.size();
  }

  void read_text() {
    const std::size_t tag = find_tag();
    std::string_view text = source_.substr(position_, tag - position_);
    const char kind = tag < source_.size() ? source_[tag + 1] : '\0';
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    text.remove_prefix(skipped(text));
    trim_ = Trim::kNothing;
    if (sign == '-' && kind != '\0') {
      while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
    } else if (kind != '\0' && kind != '{' && sign != '+') {
      text = without_indent(text, tag);
    }
    if (!text.empty()) push(Kind::kText, std::string(text));
    advance(tag - position_);
    if (kind != '\0') read_tag(kind, sign);
  }

  // What the tag before this text swallows of it.
  std::size_t skipped(std::string_view text) const {
    std::size_t size = 0;
    if (trim_ == Trim::kAll) {
      while (size < text.size() && is_white(text[size])) ++size;
    } else if (trim_ == Trim::kNewline) {
      if (text.starts_with("\r\n")) return 2;
      if (text.starts_with('\n')) return 1;
    }
    return size;
  }

  // Without the blanks before a tag that begins its line.
  std::string_view without_indent(std::string_view text, std::size_t tag) const {
    std::size_t begin = tag;
    while (begin > 0 && is_blank(source_[begin - 1])) --begin;
    if (begin > 0 && source_[begin - 1] != '\n') return text;
    return text.substr(0, text.size() - std::min(text.size(), tag - begin));
  }

  void read_tag(char kind, char sign) {
    advance(sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') return read_comment();
    const bool output = kind == '{';
    push(output ? Kind::kOutputBegin : Kind::kBlockBegin, {});
    const std::string_view close = output ? "}}" : "%}";
    while (!error_ && !read_close(close, output ? Kind::kOutputEnd : Kind::kBlockEnd)) {
      read_token();
    }
  }

  void read_comment() {
    const std::size_t end = source_.find("#}", position_);
    if (end == std::string_view::npos) return fail("a comment is not closed by \"#}\"");
    trim_ = source_[end - 1] == '-' ? Trim::kAll : Trim::kNewline;
    advance(end + 2 - position_);
  }

  bool read_close(std::string_view close, Kind kind) {
    while (is_white(at(0))) advance(1);
    const char sign = at(0);
    const bool signed_close = (sign == '-' || sign == '+') && nesting_ == 0 &&
                              source_.substr(position_ + 1).starts_with(close);
    if (!signed_close && (nesting_ > 0 || !source_.substr(position_).starts_with(close))) {
      return false;
    }
    push(kind, {});
    advance(signed_close ? 3 : 2);
    trim_ = kind == Kind::kBlockEnd ? Trim::kNewline : Trim::kNothing;
    if (signed_close) trim_ = sign == '-' ? Trim::kAll : Trim::kNothing;
    return true;
  }

  void read_token() {
    if (position_ >= source_.size()) return fail("a tag is not closed");
    const char c = at(0);
    if (is_name_start(c)) return read_name();
    if (is_digit(c)) return read_number();
    if (c == '"' || c == '\'') return read_string(c);
    for (const std::string_view op : kOperators) {
      if (!source_.substr(position_).starts_with(op)) continue;
      if (op == "(" || op == "[" || op == "{") ++nesting_;
      if (nesting_ > 0 && (op == ")" || op == "]" || op == "}")) --nesting_;
      push(Kind::kOperator, std::string(op));
      return advance(op.size());
    }
    fail(std::string("unexpected character \"") + c + "\"");
  }

  void read_name() {
    std::size_t size = 1;
    while (is_name_start(at(size)) || is_digit(at(size))) ++size;
    push(Kind::kName, std::string(source_.substr(position_, size)));
    advance(size);
  }

  void read_number() {
    std::size_t size = 1;
    while (is_digit(at(size))) ++size;
    const bool real = at(size) == '.' && is_digit(at(size + 1));
    if (real) {
      ++size;
      while (is_digit(at(size))) ++size;
    }
    push(real ? Kind::kReal : Kind::kInteger, std::string(source_.substr(position_, size)));
    advance(size);
  }

  void read_string(char quote) {
    std::string text;
    const std::size_t line = line_;
    advance(1);
    while (at(0) != quote) {
      if (position_ >= source_.size()) return fail("a string is not closed");
      if (at(0) == '\\') {
        text += unescape(at(1));
        advance(2);
      } else {
        text += at(0);
        advance(1);
      }
    }
    advance(1);
    tokens_.push_back({Kind::kString, std::move(text), line});
  }

  static std::string unescape(char c) {
    switch (c) {
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'r':
        return "\r";
      case '\\':
      case '\'':
      case '"':
        return std::string(1, c);
      default:
        return std::string("\\") + c;
    }
  }

  enum class Trim { kNothing, kNewline, kAll };
  std::string_view source_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t nesting_ = 0;  // brackets open inside the tag
  Trim trim_ = Trim::kNothing;
  std::vector<TemplateToken> tokens_;
  std::optional<Error> error_;
};

}  // namespace

Error template_error(std::size_t line, const std::string& what) {
  return invalid_argument("chat template, line " + std::to_string(line) + ": " + what);
}

Result<std::vector<TemplateToken>> tokenize_template(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/scalar.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

namespace backplane::config {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string_view without_sign(std::string_view text) {
  const bool is_signed = !text.empty() && (text.front() == '-' || text.front() == '+');
  return is_signed ? text.substr(1) : text;
}

struct Number {
  std::string_view digits;
  int base = 10;
};

// core: [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+
bool looks_like_integer(std::string_view text, Number& number) {
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'o' || text[1] == 'x')) {
    number = {text.substr(2), text[1] == 'o' ? 8 : 16};
    return std::all_of(number.digits.begin(), number.digits.end(), [&](unsigned char c) {
      return number.base == 16 ? std::isxdigit(c) != 0 : (c >= '0' && c <= '7');
    });
  }
  number = {!text.empty() && text.front() == '+' ? text.substr(1) : text, 10};
  return all_digits(without_sign(text));
}

// core: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_real(std::string_view text) {
  text = without_sign(text);
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos && !all_digits(without_sign(text.substr(e + 1)))) {
    return false;
  }
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t dot = mantissa.find('.');
  if (dot == std::string_view::npos) {
    return all_digits(mantissa);
  }
  const std::string_view whole = mantissa.substr(0, dot);
  const std::string_view fraction = mantissa.substr(dot + 1);
  return (whole.empty() || all_digits(whole)) && (fraction.empty() || all_digits(fraction)) &&
         !(whole.empty() && fraction.empty());
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_unbounded(std::string_view text) {
  return is_one_of(without_sign(text), {".inf", ".Inf", ".INF"}) ||
         is_one_of(text, {".nan", ".NaN", ".NAN"});
}

Result<Node> make_integer_of(std::string text, const Number& number) {
  Node node;
  node.kind = NodeKind::kInteger;
  const char* end = number.digits.data() + number.digits.size();
  if (std::from_chars(number.digits.data(), end, node.integer, number.base).ec != std::errc()) {
    return invalid_argument("integer " + text + " does not fit 64 bits; quote it to get a string");
  }
  node.text = std::move(text);
  return node;
}

Result<Node> make_real_of(std::string text) {
  Node node;
  node.kind = NodeKind::kReal;
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const auto read = std::from_chars(begin, text.data() + text.size(), node.real);
  if (read.ec != std::errc() || !std::isfinite(node.real)) {
    return invalid_argument("number " + text + " is out of range; quote it to get a string");
  }
  node.text = std::move(text);
  return node;
}

}  // namespace

Result<Node> resolve_scalar(std::string text) {
  Node node;
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) {
    return node;
  }
  if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    node.kind = NodeKind::kBoolean;
    node.boolean = text.front() == 't' || text.front() == 'T';
    node.text = std::move(text);
    return node;
  }
  if (is_unbounded(text)) {
    return invalid_argument("number " + text + " is not finite; quote it to get a string");
  }
  if (Number number; looks_like_integer(text, number)) {
    return make_integer_of(text, number);
  }
  if (looks_like_real(text)) {
    return make_real_of(std::move(text));
  }
  return make_string(std::move(text));
}

}  // namespace backplane::config

// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/chat_template/template_expression_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace backplane::local {
namespace {

using Kind = TemplateToken::Kind;

constexpr int kExpressionDepthMax = 200;
// Chains like a.b.b.b grow the tree without nesting the parser.
constexpr int kExpressionNodesMax = 2000;

}  // namespace

bool TokenCursor::is_operator(std::string_view text) const {
  return is(Kind::kOperator) && tokens_[position_].text == text;
}
bool TokenCursor::is_name(std::string_view text) const {
  return is(Kind::kName) && tokens_[position_].text == text;
}
bool TokenCursor::next_is_name(std::string_view text) const {
  const std::size_t next = position_ + 1;
  return next < tokens_.size() && tokens_[next].kind == Kind::kName && tokens_[next].text == text;
}

TemplateToken TokenCursor::take() {
  const TemplateToken token = tokens_[position_];
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool TokenCursor::accept(std::string_view op) {
  const bool found = is_operator(op);
  if (found) take();
  return found;
}

bool TokenCursor::accept_name(std::string_view name) {
  const bool found = is_name(name);
  if (found) take();
  return found;
}

std::string TokenCursor::expect(Kind kind, std::string_view what) {
  if (!is(kind) || (kind == Kind::kOperator && !is_operator(what))) {
    const std::string& found = tokens_[position_].text;
    fail("expected " + std::string(what) +
         (found.empty() ? std::string() : ", found \"" + found.substr(0, 40) + "\""));
    return {};
  }
  return take().text;
}

void TokenCursor::expect_name(std::string_view name) {
  if (!accept_name(name)) fail("expected \"" + std::string(name) + "\"");
}

void TokenCursor::fail(const std::string& what) {
  if (!error_) error_ = template_error(line(), what);
  position_ = tokens_.size() - 1;
}

ExpressionParser::Nesting::Nesting(ExpressionParser& parser) : parser_(parser) {
  if (parser_.depth_ == 0) parser_.nodes_ = 0;
  if (++parser_.depth_ > kExpressionDepthMax) {
    parser_.cursor_.fail("the expression is nested too deeply");
  }
}

ExpressionPointer ExpressionParser::make(Expression::Kind kind, std::string text) {
  if (++nodes_ > kExpressionNodesMax) cursor_.fail("the expression is too long");
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->line = cursor_.line();
  expression->text = std::move(text);
  return expression;
}

ExpressionPointer ExpressionParser::join(std::string op, ExpressionPointer left,
                                         ExpressionPointer right) {
  auto expression = make(Expression::Kind::kBinary, std::move(op));
  expression->operands.push_back(std::move(left));
  expression->operands.push_back(std::move(right));
  return expression;
}

ExpressionPointer ExpressionParser::parse() {
  const Nesting nesting(*this);
  auto value = parse_without_condition();
  while (cursor_.accept_name("if")) {
    auto condition = make(Expression::Kind::kCondition);
    condition->operands.push_back(std::move(value));
    condition->operands.push_back(parse_without_condition());
    condition->operands.push_back(cursor_.accept_name("else") ? parse() : nullptr);
    value = std::move(condition);
  }
  return value;
}

ExpressionPointer ExpressionParser::parse_without_condition() {
  const Nesting nesting(*this);
  auto left = parse_and();
  while (cursor_.accept_name("or")) left = join("or", std::move(left), parse_and());
  return left;
}

ExpressionPointer ExpressionParser::parse_and() {
  auto left = parse_not();
  while (cursor_.accept_name("and")) left = join("and", std::move(left), parse_not());
  return left;
}

ExpressionPointer ExpressionParser::parse_not() {
  if (!cursor_.accept_name("not")) return parse_comparison();
  auto expression = make(Expression::Kind::kUnary, "not");
  const Nesting nesting(*this);
  expression->operands.push_back(parse_not());
  return expression;
}

ExpressionPointer ExpressionParser::parse_comparison() {
  constexpr std::array<std::string_view, 6> kComparisons = {"==", "!=", "<=", ">=", "<", ">"};
  auto left = parse_sum();
  for (;;) {
    const auto* op = std::find_if(kComparisons.begin(), kComparisons.end(),
                                  [this](std::string_view text) { return cursor_.accept(text); });
    if (op != kComparisons.end()) {
      left = join(std::string(*op), std::move(left), parse_sum());
    } else if (cursor_.accept_name("in")) {
      left = join("in", std::move(left), parse_sum());
    } else if (cursor_.is_name("not") && cursor_.next_is_name("in")) {
      cursor_.take();
      cursor_.take();
      left = join("not in", std::move(left), parse_sum());
    } else {
      return left;
    }
  }
}

ExpressionPointer ExpressionParser::parse_left_associative(
    std::initializer_list<std::string_view> ops, Level next) {
  auto left = (this->*next)();
  for (;;) {
    const auto* op = std::find_if(ops.begin(), ops.end(),
                                  [this](std::string_view text) { return cursor_.accept(text); });
    if (op == ops.end()) return left;
    left = join(std::string(*op), std::move(left), (this->*next)());
  }
}

ExpressionPointer ExpressionParser::parse_sum() {
  return parse_left_associative({"+", "-"}, &ExpressionParser::parse_concatenation);
}
ExpressionPointer ExpressionParser::parse_concatenation() {
  return parse_left_associative({"~"}, &ExpressionParser::parse_product);
}
ExpressionPointer ExpressionParser::parse_product() {
  return parse_left_associative({"*", "//", "/", "%"}, &ExpressionParser::parse_unary);
}

ExpressionPointer ExpressionParser::parse_unary() {
  const bool minus = cursor_.is_operator("-");
  if (!minus && !cursor_.is_operator("+")) return parse_suffixes(parse_primary());
  auto expression = make(Expression::Kind::kUnary, cursor_.take().text);
  const Nesting nesting(*this);
  expression->operands.push_back(parse_unary());
  return expression;
}

ExpressionPointer ExpressionParser::parse_suffixes(ExpressionPointer operand) {
  for (;;) {
    if (cursor_.accept(".")) {
      const bool index = cursor_.is(Kind::kInteger);
      auto next = make(index ? Expression::Kind::kIndex : Expression::Kind::kAttribute);
      next->operands.push_back(std::move(operand));
      if (index) {
        next->operands.push_back(parse_number());
      } else {
        next->text = cursor_.expect(Kind::kName, "a member's name");
      }
      operand = std::move(next);
    } else if (cursor_.accept("[")) {
      operand = parse_subscript(std::move(operand));
    } else if (cursor_.accept("(")) {
      auto call = make(Expression::Kind::kCall);
      call->operands.push_back(std::move(operand));
      parse_arguments(call->arguments);
      operand = std::move(call);
    } else if (cursor_.accept("|")) {
      operand = parse_filters(std::move(operand));
    } else if (cursor_.accept_name("is")) {
      operand = parse_test(std::move(operand));
    } else {
      return operand;
    }
  }
}

ExpressionPointer ExpressionParser::parse_filters(ExpressionPointer input) {
  do {
    auto filter = make(Expression::Kind::kFilter);
    filter->text = cursor_.expect(Kind::kName, "a filter's name");
    filter->operands.push_back(std::move(input));
    if (cursor_.accept("(")) parse_arguments(filter->arguments);
    input = std::move(filter);
  } while (cursor_.accept("|"));
  return input;
}

ExpressionPointer ExpressionParser::parse_subscript(ExpressionPointer operand) {
  auto slice = make(Expression::Kind::kSlice);
  slice->operands.push_back(std::move(operand));
  bool colon = false;
  for (int part = 0; part < 3 && !cursor_.error(); ++part) {
    const bool absent = cursor_.is_operator(":") || cursor_.is_operator("]");
    slice->operands.push_back(absent ? nullptr : parse());
    if (!cursor_.accept(":")) break;
    colon = true;
  }
  cursor_.expect(Kind::kOperator, "]");
  if (!colon) {
    slice->kind = Expression::Kind::kIndex;
    if (slice->operands.size() < 2 || slice->operands[1] == nullptr) {
      cursor_.fail("expected an index");
      slice->operands.resize(1);
      slice->operands.push_back(make(Expression::Kind::kLiteral));
    }
    return slice;
  }
  slice->operands.resize(4);
  return slice;
}

ExpressionPointer ExpressionParser::parse_test(ExpressionPointer operand) {
  const bool negated = cursor_.accept_name("not");
  auto test = make(Expression::Kind::kTest);
  test->text = cursor_.expect(Kind::kName, "a test's name");
  test->operands.push_back(std::move(operand));
  if (cursor_.accept("(")) {
    parse_arguments(test->arguments);
  } else if (cursor_.is(Kind::kString) || cursor_.is(Kind::kInteger) || cursor_.is_operator("[")) {
    test->arguments.positional.push_back(parse_primary());
  }
  if (!negated) return test;
  auto inverse = make(Expression::Kind::kUnary, "not");
  inverse->operands.push_back(std::move(test));
  return inverse;
}

ExpressionPointer ExpressionParser::parse_primary() {
  if (cursor_.is(Kind::kName)) return parse_name();
  if (cursor_.is(Kind::kInteger) || cursor_.is(Kind::kReal)) return parse_number();
  if (cursor_.is(Kind::kString)) {
    auto literal = make(Expression::Kind::kLiteral);
    std::string text;
    while (cursor_.is(Kind::kString)) text += cursor_.take().text;
    literal->value = std::move(text);
    return literal;
  }
  if (cursor_.accept("(")) return parse_parentheses();
  if (cursor_.accept("[")) return parse_list();
  if (cursor_.accept("{")) return parse_object();
  cursor_.fail("expected a value");
  return make(Expression::Kind::kLiteral);
}

ExpressionPointer ExpressionParser::parse_name() {
  const std::string name = cursor_.take().text;
  auto expression = make(Expression::Kind::kLiteral);
  if (name == "true" || name == "True") {
    expression->value = true;
  } else if (name == "false" || name == "False") {
    expression->value = false;
  } else if (name == "none" || name == "None") {
    expression->value = Value::None();
  } else {
    expression->kind = Expression::Kind::kName;
    expression->text = name;
  }
  return expression;
}

ExpressionPointer ExpressionParser::parse_number() {
  auto literal = make(Expression::Kind::kLiteral);
  const TemplateToken token = cursor_.take();
  const char* end = token.text.data() + token.text.size();
  std::int64_t whole = 0;
  double real = 0;
  const bool is_real = token.kind == Kind::kReal;
  const auto result = is_real ? std::from_chars(token.text.data(), end, real)
                              : std::from_chars(token.text.data(), end, whole);
  if (result.ec != std::errc()) cursor_.fail("the number " + token.text + " is too large");
  literal->value = is_real ? Value(real) : Value(whole);
  return literal;
}

// (a) is a; (a, b) and () are lists.
ExpressionPointer ExpressionParser::parse_parentheses() {
  auto list = make(Expression::Kind::kList);
  bool comma = false;
  while (!cursor_.error() && !cursor_.is_operator(")")) {
    list->operands.push_back(parse());
    if (!cursor_.accept(",")) break;
    comma = true;
  }
  cursor_.expect(Kind::kOperator, ")");
  return !comma && list->operands.size() == 1 ? std::move(list->operands[0]) : std::move(list);
}

ExpressionPointer ExpressionParser::parse_list() {
  auto list = make(Expression::Kind::kList);
  while (!cursor_.error() && !cursor_.is_operator("]")) {
    list->operands.push_back(parse());
    if (!cursor_.accept(",")) break;
  }
  cursor_.expect(Kind::kOperator, "]");
  return list;
}

ExpressionPointer ExpressionParser::parse_object() {
  auto object = make(Expression::Kind::kObject);
  while (!cursor_.error() && !cursor_.is_operator("}")) {
    object->operands.push_back(parse());
    cursor_.expect(Kind::kOperator, ":");
    object->operands.push_back(parse());
    if (!cursor_.accept(",")) break;
  }
  cursor_.expect(Kind::kOperator, "}");
  return object;
}

void ExpressionParser::parse_arguments(Arguments& arguments) {
  while (!cursor_.error() && !cursor_.is_operator(")")) {
    auto value = parse();
    if (value->kind == Expression::Kind::kName && cursor_.accept("=")) {
      arguments.named.emplace_back(value->text, parse());
    } else {
      arguments.positional.push_back(std::move(value));
    }
    if (!cursor_.accept(",")) break;
  }
  cursor_.expect(Kind::kOperator, ")");
}

}  // namespace backplane::local

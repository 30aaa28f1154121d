// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "plugins/backends/local/chat_template/template_evaluator.hpp"

namespace backplane::local {
namespace {

constexpr int kEvaluationDepthMax = 500;
constexpr std::int64_t kRangeMax = 100'000;

bool is_function(std::string_view name) {
  constexpr std::array<std::string_view, 5> kFunctions = {"raise_exception", "namespace", "dict",
                                                          "range", "strftime_now"};
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

// Python's rules for a slice bound over `size` elements.
std::int64_t clamp_bound(const Value& bound, std::int64_t fallback, std::int64_t size,
                         bool backwards) {
  if (bound.integer() == nullptr) return fallback;
  std::int64_t at = *bound.integer();
  if (at < 0) at = at < -size ? -1 : at + size;
  const std::int64_t least = backwards ? -1 : 0;
  return std::clamp(at, least, backwards ? size - 1 : size);
}

List sliced(const List& list, const Value& start, const Value& stop, std::int64_t step) {
  const auto size = static_cast<std::int64_t>(list.size());
  const bool backwards = step < 0;
  std::int64_t at = clamp_bound(start, backwards ? size - 1 : 0, size, backwards);
  const std::int64_t end = clamp_bound(stop, backwards ? -1 : size, size, backwards);
  List out;
  for (; backwards ? at > end : at < end; at += step) {
    out.push_back(list[static_cast<std::size_t>(at)]);
  }
  return out;
}

std::string joined(const List& list) {
  std::string text;
  for (const Value& element : list) text += element.text();
  return text;
}

}  // namespace

Value TemplateEvaluator::unwrap(Result<Value> result, std::size_t line) {
  if (result) return std::move(*result);
  fail(line, result.error().message);
  return {};
}

Value TemplateEvaluator::evaluate(const Expression& expression) {
  if (!may_go_on(expression.line)) return {};
  if (++depth_ > kEvaluationDepthMax) fail(expression.line, "it is nested too deeply");
  Value value = evaluate_kind(expression);
  --depth_;
  return value;
}

Value TemplateEvaluator::evaluate_kind(const Expression& expression) {
  using Kind = Expression::Kind;
  if (error_) return {};
  switch (expression.kind) {
    case Kind::kLiteral:
      return expression.value;
    case Kind::kName: {
      const Value* found = find(expression.text);
      if (found != nullptr) return *found;
      const bool callable = macros_.contains(expression.text) || is_function(expression.text);
      return callable ? Value(expression.text) : Value();
    }
    case Kind::kList: {
      List list;
      for (const auto& operand : expression.operands) list.push_back(evaluate(*operand));
      return list;
    }
    case Kind::kObject:
      return evaluate_object(expression);
    case Kind::kAttribute:
      return member(evaluate(*expression.operands[0]), expression.text, expression.line);
    case Kind::kIndex:
      return evaluate_index(expression);
    case Kind::kSlice:
      return evaluate_slice(expression);
    case Kind::kCall:
      return evaluate_call(expression);
    case Kind::kFilter:
      return evaluate_filter(expression);
    case Kind::kTest: {
      const auto passes = apply_test(expression.text, evaluate(*expression.operands[0]),
                                     evaluate(expression.arguments));
      return unwrap(passes ? Result<Value>(Value(*passes)) : passes.error(), expression.line);
    }
    case Kind::kUnary:
      return evaluate_unary(expression);
    case Kind::kBinary:
      return evaluate_binary(expression);
    case Kind::kCondition: {
      if (evaluate(*expression.operands[1]).truth()) return evaluate(*expression.operands[0]);
      return expression.operands[2] == nullptr ? Value() : evaluate(*expression.operands[2]);
    }
  }
  return {};
}

Value TemplateEvaluator::evaluate_object(const Expression& expression) {
  Object object;
  std::size_t numbers = 0;
  for (std::size_t i = 0; i + 1 < expression.operands.size(); i += 2) {
    const Value key = evaluate(*expression.operands[i]);
    if (key.integer() != nullptr) ++numbers;
    object.set(key.text(), evaluate(*expression.operands[i + 1]));
  }
  object.has_number_keys = numbers > 0;
  if (numbers > 0 && numbers * 2 != expression.operands.size()) {
    fail(expression.line, "keys that are numbers beside others are not supported");
  }
  return object;
}

Value TemplateEvaluator::member(const Value& value, std::string_view name, std::size_t line) {
  if (value.is_undefined()) {
    fail(line, "\"" + std::string(name) + "\" is asked of something undefined");
  }
  const Value* found = value.object() == nullptr ? nullptr : value.object()->find(name);
  return found == nullptr ? Value() : *found;
}

Value TemplateEvaluator::evaluate_index(const Expression& expression) {
  const Value value = evaluate(*expression.operands[0]);
  const Value index = evaluate(*expression.operands[1]);
  if (index.string() != nullptr) return member(value, *index.string(), expression.line);
  if (value.is_undefined()) fail(expression.line, "something undefined has no elements");
  if (index.integer() == nullptr) return {};
  if (value.object() != nullptr && value.object()->has_number_keys) {
    return member(value, index.text(), expression.line);
  }
  const List list = value.object() != nullptr ? List() : elements(value);
  const auto size = static_cast<std::int64_t>(list.size());
  const std::int64_t at = *index.integer() < 0 ? *index.integer() + size : *index.integer();
  return at >= 0 && at < size ? list[static_cast<std::size_t>(at)] : Value();
}

Value TemplateEvaluator::evaluate_slice(const Expression& expression) {
  const auto part = [&](std::size_t i) {
    return expression.operands[i] == nullptr ? Value() : evaluate(*expression.operands[i]);
  };
  const Value value = evaluate(*expression.operands[0]);
  const Value start = part(1);
  const Value stop = part(2);
  const Value step = part(3);
  const std::int64_t stride = step.integer() == nullptr ? 1 : *step.integer();
  if (stride == 0 || stride > kRangeMax || stride < -kRangeMax) {
    fail(expression.line, "the slice's step is out of range");
    return {};
  }
  List list = sliced(elements(value), start, stop, stride);
  return value.string() != nullptr ? Value(joined(list)) : Value(std::move(list));
}

Value TemplateEvaluator::evaluate_unary(const Expression& expression) {
  const Value value = evaluate(*expression.operands[0]);
  if (expression.text == "not") return !value.truth();
  if (!value.is_number()) {
    if (!error_) fail(expression.line, "a sign before something that is no number");
    return {};
  }
  if (expression.text == "+") return value;
  const std::int64_t* whole = value.integer();
  return whole != nullptr && *whole > INT64_MIN ? Value(-*whole) : Value(-value.number());
}

Value TemplateEvaluator::evaluate_binary(const Expression& expression) {
  const Value left = evaluate(*expression.operands[0]);
  if (expression.text == "and") return left.truth() ? evaluate(*expression.operands[1]) : left;
  if (expression.text == "or") return left.truth() ? left : evaluate(*expression.operands[1]);
  const Value right = evaluate(*expression.operands[1]);
  return error_ ? Value() : bounded(compute(expression, left, right), expression.line);
}

// Doubling something sixty times takes a short template and more memory than there is.
Value TemplateEvaluator::bounded(Value value, std::size_t line) {
  constexpr std::size_t kElementsMax = 1u << 20;
  const bool long_text =
      value.string() != nullptr && value.string()->size() > kTemplateTextBytesMax;
  const bool long_list = value.list() != nullptr && value.list()->size() > kElementsMax;
  if (!long_text && !long_list) return value;
  fail(line, long_text ? "the text is too long" : "the list is too long");
  return {};
}

Value TemplateEvaluator::compute(const Expression& expression, const Value& left,
                                 const Value& right) {
  const std::string& op = expression.text;
  if (op == "==") return left == right;
  if (op == "!=") return !(left == right);
  if (op == "in") return contains(right, left);
  if (op == "not in") return !contains(right, left);
  const bool texts = left.string() != nullptr && right.string() != nullptr;
  if ((left.is_markup() || right.is_markup()) && op == "+" && texts) {
    const auto safe = [](const Value& v) {
      return v.is_markup() ? v.text() : escaped_html(v.text());
    };
    return Value::Markup{safe(left) + safe(right)};
  }
  if (op == "~") return left.text() + right.text();
  if (op == "+" && texts) return *left.string() + *right.string();
  if (op == "+" && left.list() != nullptr && right.list() != nullptr) {
    List list = *left.list();
    list.insert(list.end(), right.list()->begin(), right.list()->end());
    return list;
  }
  if (texts && (op == "<" || op == ">" || op == "<=" || op == ">=")) {
    const int order = left.string()->compare(*right.string());
    return op == "<" ? order < 0 : op == ">" ? order > 0 : op == "<=" ? order <= 0 : order >= 0;
  }
  const bool numbers =
      (left.is_number() || left.boolean()) && (right.is_number() || right.boolean());
  if (!numbers) {
    fail(expression.line,
         "\"" + op + "\" cannot join " +
             (left.is_undefined() ? "something undefined" : to_json(left)).substr(0, 40) + " and " +
             (right.is_undefined() ? "something undefined" : to_json(right)).substr(0, 40));
    return {};
  }
  const double a = left.number();
  const double b = right.number();
  if (op == "<") return a < b;
  if (op == ">") return a > b;
  if (op == "<=") return a <= b;
  if (op == ">=") return a >= b;
  if (b == 0 && (op == "/" || op == "//" || op == "%")) {
    fail(expression.line, "division by zero");
    return {};
  }
  const double result = op == "+"    ? a + b
                        : op == "-"  ? a - b
                        : op == "*"  ? a * b
                        : op == "/"  ? a / b
                        : op == "//" ? std::floor(a / b)
                                     : a - std::floor(a / b) * b;
  const bool whole = left.real() == nullptr && right.real() == nullptr && op != "/";
  constexpr double kExact = 0x1p53;
  return whole && std::abs(result) < kExact ? Value(static_cast<std::int64_t>(result))
                                            : Value(result);
}

CallArguments TemplateEvaluator::evaluate(const Arguments& arguments) {
  CallArguments values;
  for (const auto& argument : arguments.positional)
    values.positional.push_back(evaluate(*argument));
  for (const auto& [name, argument] : arguments.named) {
    values.named.emplace_back(name, evaluate(*argument));
  }
  return values;
}

// The innermost filter of a chain without an operand takes `input`.
Value TemplateEvaluator::evaluate_filter(const Expression& expression, const Value* input) {
  const ExpressionPointer& operand = expression.operands[0];
  Value value;
  if (operand == nullptr) {
    value = input == nullptr ? Value() : *input;
  } else {
    value = input != nullptr ? evaluate_filter(*operand, input) : evaluate(*operand);
  }
  const CallArguments arguments = evaluate(expression.arguments);
  if (error_) return {};
  return unwrap(apply_filter(expression.text, value, arguments), expression.line);
}

Value TemplateEvaluator::evaluate_call(const Expression& expression) {
  const Expression& callee = *expression.operands[0];
  if (callee.kind == Expression::Kind::kAttribute) {
    const Value self = evaluate(*callee.operands[0]);
    const CallArguments arguments = evaluate(expression.arguments);
    if (error_) return {};
    return unwrap(call_method(self, callee.text, arguments), expression.line);
  }
  const CallArguments arguments = evaluate(expression.arguments);
  if (error_) return {};
  if (callee.kind != Expression::Kind::kName) {
    fail(expression.line, "only names and methods can be called");
    return {};
  }
  const auto macro = macros_.find(callee.text);
  if (macro != macros_.end()) return call_macro(*macro->second, arguments);
  return call_function(callee.text, arguments, expression.line);
}

Value TemplateEvaluator::call_macro(const Statement& macro, const CallArguments& arguments) {
  if (++depth_ > kEvaluationDepthMax) {
    fail(macro.line, "macros call each other too deeply");
    return {};
  }
  const bool is_caller = macro.kind == Statement::Kind::kCallBlock;
  Scope scope{{}, is_caller ? caller_scope_ : &root_};
  Scope* const caller = std::exchange(scope_, &scope);
  for (std::size_t i = 0; i < macro.names.size(); ++i) {
    Value value = arguments.get(i, macro.names[i]);
    if (value.is_undefined() && macro.expressions[i] != nullptr) {
      value = evaluate(*macro.expressions[i]);
    }
    scope.names[macro.names[i]] = std::move(value);
  }
  Value text = captured(macro.blocks[0]);
  scope_ = caller;
  --depth_;
  return text;
}

Value TemplateEvaluator::call_function(const std::string& name, const CallArguments& arguments,
                                       std::size_t line) {
  if (name == "raise_exception") {
    fail(line, arguments.get(0, "message").text());
    return {};
  }
  if (name == "namespace" || name == "dict") {
    Object object;
    object.is_namespace = name == "namespace";
    const Value base = arguments.get(0, "");
    if (base.object() != nullptr) object.members = base.object()->members;
    for (const auto& [key, value] : arguments.named) object.set(key, value);
    return object;
  }
  if (name == "range") {
    const Value first = arguments.get(0, "start");
    const Value second = arguments.get(1, "stop");
    const Value third = arguments.get(2, "step");
    std::int64_t at = second.integer() == nullptr ? 0 : static_cast<std::int64_t>(first.number());
    const auto end =
        static_cast<std::int64_t>((second.integer() == nullptr ? first : second).number());
    const std::int64_t step = third.integer() == nullptr ? 1 : *third.integer();
    List list;
    for (; step > 0 ? at < end : at > end; at += step) {
      if (step == 0 || list.size() >= static_cast<std::size_t>(kRangeMax)) {
        fail(line, "the range is too long");
        return {};
      }
      list.emplace_back(at);
    }
    may_go_on(line, list.size());
    return list;
  }
  if (name == "strftime_now") {
    const std::time_t now = static_cast<std::time_t>(now_s_);
    std::tm fields = {};
    gmtime_r(&now, &fields);
    std::array<char, 256> text{};
    const std::string format = arguments.get(0, "format").text();
    return std::string(text.data(),
                       std::strftime(text.data(), text.size(), format.c_str(), &fields));
  }
  fail(line, "the function \"" + name + "\" is not supported");
  return {};
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Walks a parsed template once. The first error sticks; from then on everything is undefined and
// loops end. Used by ChatTemplate::render.
#pragma once

#include <optional>
#include <unordered_map>

#include "plugins/backends/local/chat_template/template_functions.hpp"
#include "plugins/backends/local/chat_template/template_tree.hpp"

namespace backplane::local {

class TemplateEvaluator {
 public:
  TemplateEvaluator(const Value& inputs, std::int64_t now_s);
  Result<std::string> run(const Block& block);

 private:
  enum class Flow { kNext, kBreak, kContinue };
  // Names set in a loop or a macro are gone when it ends.
  struct Scope {
    std::unordered_map<std::string, Value> names;
    Scope* parent = nullptr;
  };

  void fail(std::size_t line, const std::string& what);
  bool may_go_on(std::size_t line, std::uint64_t steps = 1);
  const Value* find(const std::string& name) const;
  Value unwrap(Result<Value> result, std::size_t line);

  Flow execute(const Block& block);
  Flow execute(const Statement& statement);
  Flow execute_if(const Statement& statement);
  Flow execute_for(const Statement& statement);
  void execute_call_block(const Statement& statement);
  void execute_set(const Statement& statement);
  void assign(const std::vector<std::string>& names, const Value& value, std::size_t line);
  void write(const std::string& text, std::size_t line);
  std::string captured(const Block& block);

  Value evaluate(const Expression& expression);
  Value evaluate_kind(const Expression& expression);
  Value evaluate_object(const Expression& expression);
  Value evaluate_index(const Expression& expression);
  Value evaluate_slice(const Expression& expression);
  Value evaluate_unary(const Expression& expression);
  Value evaluate_binary(const Expression& expression);
  Value bounded(Value value, std::size_t line);
  Value compute(const Expression& expression, const Value& left, const Value& right);
  Value evaluate_filter(const Expression& expression, const Value* input = nullptr);
  Value evaluate_call(const Expression& expression);
  Value call_macro(const Statement& macro, const CallArguments& arguments);
  Value call_function(const std::string& name, const CallArguments& arguments, std::size_t line);
  CallArguments evaluate(const Arguments& arguments);
  Value member(const Value& value, std::string_view name, std::size_t line);

  Scope root_;
  Scope* scope_ = &root_;
  std::unordered_map<std::string, const Statement*> macros_;
  Scope* caller_scope_ = nullptr;  // where the block of the innermost call block stands
  std::string output_;
  std::optional<Error> error_;
  std::int64_t now_s_;
  int depth_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Statements; expressions are in template_expressions.cpp.
#include "plugins/backends/local/chat_template/template_evaluator.hpp"

#include "plugins/backends/local/chat_template/chat_template.hpp"
#include "plugins/backends/local/chat_template/template_lexer.hpp"

namespace backplane::local {
namespace {

constexpr std::uint64_t kStepsMax = 2'000'000;

}  // namespace

TemplateEvaluator::TemplateEvaluator(const Value& inputs, std::int64_t now_s) : now_s_(now_s) {
  if (inputs.object() == nullptr) return;
  for (const auto& [name, value] : inputs.object()->members) root_.names[name] = value;
}

Result<std::string> TemplateEvaluator::run(const Block& block) {
  execute(block);
  if (error_) return *error_;
  return std::move(output_);
}

void TemplateEvaluator::fail(std::size_t line, const std::string& what) {
  if (!error_) error_ = template_error(line, what);
}

bool TemplateEvaluator::may_go_on(std::size_t line, std::uint64_t steps) {
  steps_ += steps;
  if (steps_ > kStepsMax) fail(line, "it takes too long");
  return !error_;
}

const Value* TemplateEvaluator::find(const std::string& name) const {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    const auto found = scope->names.find(name);
    if (found != scope->names.end()) return &found->second;
  }
  return nullptr;
}

void TemplateEvaluator::write(const std::string& text, std::size_t line) {
  output_ += text;
  if (output_.size() > kTemplateTextBytesMax) fail(line, "the text is too long");
}

std::string TemplateEvaluator::captured(const Block& block) {
  std::string outer = std::exchange(output_, {});
  execute(block);
  return std::exchange(output_, std::move(outer));
}

TemplateEvaluator::Flow TemplateEvaluator::execute(const Block& block) {
  for (const Statement& statement : block) {
    if (!may_go_on(statement.line)) return Flow::kBreak;
    const Flow flow = execute(statement);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

TemplateEvaluator::Flow TemplateEvaluator::execute(const Statement& statement) {
  switch (statement.kind) {
    case Statement::Kind::kText:
      write(statement.text, statement.line);
      break;
    case Statement::Kind::kOutput:
      write(evaluate(*statement.expressions[0]).text(), statement.line);
      break;
    case Statement::Kind::kIf:
      return execute_if(statement);
    case Statement::Kind::kFor:
      return execute_for(statement);
    case Statement::Kind::kSet:
    case Statement::Kind::kSetMember:
    case Statement::Kind::kSetBlock:
      execute_set(statement);
      break;
    case Statement::Kind::kFilter: {
      const Value text = captured(statement.blocks[0]);
      write(evaluate_filter(*statement.expressions[0], &text).text(), statement.line);
      break;
    }
    case Statement::Kind::kMacro:
      macros_[statement.text] = &statement;
      break;
    case Statement::Kind::kCallBlock:
      execute_call_block(statement);
      break;
    case Statement::Kind::kDo:
      evaluate(*statement.expressions[0]);
      break;
    case Statement::Kind::kGroup:
      return execute(statement.blocks[0]);
    case Statement::Kind::kBreak:
      return Flow::kBreak;
    case Statement::Kind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

TemplateEvaluator::Flow TemplateEvaluator::execute_if(const Statement& statement) {
  std::size_t branch = 0;
  while (branch < statement.expressions.size() &&
         !evaluate(*statement.expressions[branch]).truth()) {
    ++branch;
  }
  return branch < statement.blocks.size() ? execute(statement.blocks[branch]) : Flow::kNext;
}

TemplateEvaluator::Flow TemplateEvaluator::execute_for(const Statement& statement) {
  const Value iterable = evaluate(*statement.expressions[0]);
  if (!error_ && (iterable.is_none() || iterable.is_number() || iterable.boolean() != nullptr)) {
    fail(statement.line, iterable.text() + " cannot be looped over");
  }
  List list = elements(iterable);
  if (!may_go_on(statement.line, list.size())) return Flow::kBreak;
  Scope scope{{}, scope_};
  scope_ = &scope;
  if (statement.expressions[1] != nullptr) {
    std::erase_if(list, [&](const Value& element) {
      assign(statement.names, element, statement.line);
      return !evaluate(*statement.expressions[1]).truth();
    });
  }
  const auto size = static_cast<std::int64_t>(list.size());
  Flow flow = Flow::kNext;
  for (std::int64_t i = 0; i < size && !error_; ++i) {
    const auto at = static_cast<std::size_t>(i);
    scope.names.clear();
    assign(statement.names, list[at], statement.line);
    Object loop;
    loop.members = {{"index", i + 1},           {"index0", i},    {"first", i == 0},
                    {"last", i + 1 == size},    {"length", size}, {"revindex", size - i},
                    {"revindex0", size - i - 1}};
    if (i > 0) loop.set("previtem", list[at - 1]);
    if (i + 1 < size) loop.set("nextitem", list[at + 1]);
    scope.names["loop"] = Value(std::move(loop));
    flow = execute(statement.blocks[0]);
    if (flow == Flow::kBreak) break;
  }
  scope_ = scope.parent;
  if (list.empty() && statement.blocks.size() > 1) return execute(statement.blocks[1]);
  return Flow::kNext;
}

void TemplateEvaluator::execute_call_block(const Statement& statement) {
  const Statement*& caller = macros_[statement.text];
  const Statement* const outer = std::exchange(caller, &statement);
  Scope* const outer_scope = std::exchange(caller_scope_, scope_);
  write(evaluate(*statement.expressions.back()).text(), statement.line);
  caller_scope_ = outer_scope;
  if (outer == nullptr) {
    macros_.erase(statement.text);
  } else {
    macros_[statement.text] = outer;
  }
}

void TemplateEvaluator::execute_set(const Statement& statement) {
  if (statement.kind == Statement::Kind::kSetBlock) {
    const Value text = captured(statement.blocks[0]);
    const ExpressionPointer& filter = statement.expressions[0];
    scope_->names[statement.names[0]] = filter == nullptr ? text : evaluate_filter(*filter, &text);
    return;
  }
  const Value value = evaluate(*statement.expressions[0]);
  if (statement.kind == Statement::Kind::kSet) {
    return assign(statement.names, value, statement.line);
  }
  const Value* target = find(statement.names[0]);
  if (target == nullptr || target->object() == nullptr || !target->object()->is_namespace) {
    return fail(statement.line, "\"" + statement.names[0] + "\" is not a namespace");
  }
  target->object()->set(statement.names[1], value);
}

void TemplateEvaluator::assign(const std::vector<std::string>& names, const Value& value,
                               std::size_t line) {
  if (names.size() == 1) {
    scope_->names[names[0]] = value;
    return;
  }
  const List list = elements(value);
  if (list.size() != names.size()) {
    return fail(line, "there are " + std::to_string(list.size()) + " values for " +
                          std::to_string(names.size()) + " names");
  }
  for (std::size_t i = 0; i < names.size(); ++i) scope_->names[names[i]] = list[i];
}

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  if (source.size() > kTemplateSourceBytesMax) {
    return invalid_argument("the chat template has " + std::to_string(source.size()) +
                            " bytes; at most " + std::to_string(kTemplateSourceBytesMax) +
                            " are read");
  }
  auto block = parse_template(source);
  if (!block) return block.error();
  return ChatTemplate(std::move(*block));
}

Result<std::string> ChatTemplate::render(const Value& inputs, std::int64_t now_s) const {
  return TemplateEvaluator(inputs, now_s).run(block_);
}

}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Parses the expressions inside a template's tags, by recursive descent. The first error sticks
// to the cursor, which is at its end from then on, so that every loop ends.
#pragma once

#include <optional>

#include "plugins/backends/local/chat_template/template_lexer.hpp"
#include "plugins/backends/local/chat_template/template_tree.hpp"

namespace backplane::local {

class TokenCursor {
 public:
  explicit TokenCursor(std::vector<TemplateToken> tokens) : tokens_(std::move(tokens)) {}

  bool is(TemplateToken::Kind kind) const { return tokens_[position_].kind == kind; }
  bool is_operator(std::string_view text) const;
  bool is_name(std::string_view text) const;
  bool next_is_name(std::string_view text) const;
  std::size_t line() const { return tokens_[position_].line; }
  TemplateToken take();
  bool accept(std::string_view op);
  bool accept_name(std::string_view name);
  // The token's text; an error when it is of another kind. `what` is the operator, or a name
  // for the message.
  std::string expect(TemplateToken::Kind kind, std::string_view what);
  void expect_name(std::string_view name);

  void fail(const std::string& what);
  const std::optional<Error>& error() const { return error_; }

 private:
  std::vector<TemplateToken> tokens_;
  std::size_t position_ = 0;
  std::optional<Error> error_;
};

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenCursor& cursor) : cursor_(cursor) {}

  ExpressionPointer parse();                    // a if b else c, a or b, ...
  ExpressionPointer parse_without_condition();  // the same, stopping at "if"
  // name(arguments) | name ... applied to `input`, which may be null: the output of a block.
  ExpressionPointer parse_filters(ExpressionPointer input);

 private:
  using Level = ExpressionPointer (ExpressionParser::*)();
  // Counts how deep the parser is in itself while it lives.
  class Nesting {
   public:
    explicit Nesting(ExpressionParser& parser);
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    ExpressionParser& parser_;
  };
  ExpressionPointer make(Expression::Kind kind, std::string text = {});
  ExpressionPointer join(std::string op, ExpressionPointer left, ExpressionPointer right);
  ExpressionPointer parse_left_associative(std::initializer_list<std::string_view> ops, Level next);
  ExpressionPointer parse_and();
  ExpressionPointer parse_not();
  ExpressionPointer parse_comparison();
  ExpressionPointer parse_sum();
  ExpressionPointer parse_concatenation();
  ExpressionPointer parse_product();
  ExpressionPointer parse_unary();
  ExpressionPointer parse_suffixes(ExpressionPointer operand);
  ExpressionPointer parse_subscript(ExpressionPointer operand);
  ExpressionPointer parse_test(ExpressionPointer operand);
  ExpressionPointer parse_primary();
  ExpressionPointer parse_name();
  ExpressionPointer parse_number();
  ExpressionPointer parse_parentheses();
  ExpressionPointer parse_list();
  ExpressionPointer parse_object();
  void parse_arguments(Arguments& arguments);

  TokenCursor& cursor_;
  int depth_ = 0;
  int nodes_ = 0;
};

}  // namespace backplane::local

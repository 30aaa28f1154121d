// SPDX-License-Identifier: Apache-2.0
// A parsed template. Built by parse_template, walked by the evaluator, immutable between.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

struct Expression;
using ExpressionPointer = std::unique_ptr<Expression>;

struct Arguments {
  std::vector<ExpressionPointer> positional;
  std::vector<std::pair<std::string, ExpressionPointer>> named;
};

struct Expression {
  enum class Kind {
    kLiteral,    // value
    kName,       // text
    kList,       // operands
    kObject,     // operands: key, value, key, value, ...
    kAttribute,  // operands[0].text
    kIndex,      // operands[0][operands[1]]
    kSlice,      // operands[0][operands[1]:operands[2]:operands[3]], any of the last three null
    kCall,       // operands[0](arguments)
    kFilter,     // operands[0] | text(arguments)
    kTest,       // operands[0] is text(arguments)
    kUnary,      // text operands[0]
    kBinary,     // operands[0] text operands[1]
    kCondition,  // operands[0] if operands[1] else operands[2], the last may be null
  };
  Kind kind = Kind::kLiteral;
  std::size_t line = 1;
  std::string text;
  Value value;
  std::vector<ExpressionPointer> operands;
  Arguments arguments;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind {
    kText,       // text
    kOutput,     // expressions[0]
    kIf,         // expressions[i] guards blocks[i]; one block more is the else
    kFor,        // names in expressions[0] (if expressions[1]); blocks: body, else
    kSet,        // names = expressions[0]
    kSetMember,  // names[0].names[1] = expressions[0]
    kSetBlock,   // names[0] = output of blocks[0], through expressions[0] when not null
    kFilter,     // output of blocks[0] through expressions[0]
    kMacro,      // text(names with defaults expressions[i], null for none): blocks[0]
    kCallBlock,  // a call, the last expression, where "caller" is blocks[0] with these names
    kDo,         // expressions[0], for what it changes
    kGroup,      // blocks[0], as it stands
    kBreak,
    kContinue,
  };
  Kind kind = Kind::kText;
  std::size_t line = 1;
  std::string text;
  std::vector<std::string> names;
  std::vector<ExpressionPointer> expressions;
  std::vector<Block> blocks;
};

// Errors name the line and what is not supported there.
Result<Block> parse_template(std::string_view source);

}  // namespace backplane::local

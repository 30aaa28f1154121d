// SPDX-License-Identifier: Apache-2.0
// Statements here, expressions in template_expression_parser.
#include <algorithm>
#include <optional>

#include "plugins/backends/local/chat_template/template_expression_parser.hpp"
#include "plugins/backends/local/chat_template/template_tree.hpp"

namespace backplane::local {
namespace {

using Kind = TemplateToken::Kind;

constexpr int kBlockDepthMax = 100;

class Parser {
 public:
  explicit Parser(std::vector<TemplateToken> tokens)
      : cursor_(std::move(tokens)), expressions_(cursor_) {}

  Result<Block> run() {
    Block block = parse_block({});
    if (cursor_.error()) return *cursor_.error();
    return block;
  }

 private:
  // Up to one of the block tags in `ends`, whose name is left in end_.
  Block parse_block(std::initializer_list<std::string_view> ends) {
    Block block;
    if (++depth_ > kBlockDepthMax) cursor_.fail("blocks are nested too deeply");
    while (!cursor_.is(Kind::kEnd)) {
      if (cursor_.is(Kind::kBlockBegin) && read_block_tag(ends, block)) {
        --depth_;
        return block;
      }
      if (!cursor_.is(Kind::kBlockBegin) && !cursor_.is(Kind::kEnd)) parse_inline(block);
    }
    if (ends.size() > 0) {
      cursor_.fail("a block is not closed by \"" + std::string(*(ends.end() - 1)) + "\"");
    }
    --depth_;
    return block;
  }

  void parse_inline(Block& block) {
    Statement& statement = block.emplace_back();
    statement.line = cursor_.line();
    if (cursor_.is(Kind::kText)) {
      statement.text = cursor_.take().text;
      return;
    }
    cursor_.take();
    statement.kind = Statement::Kind::kOutput;
    statement.expressions.push_back(expressions_.parse());
    cursor_.expect(Kind::kOutputEnd, "}}");
  }

  // True when the tag is one of `ends`.
  bool read_block_tag(std::initializer_list<std::string_view> ends, Block& block) {
    const std::size_t line = cursor_.line();
    cursor_.take();
    const std::string name = cursor_.expect(Kind::kName, "a tag's name");
    if (std::find(ends.begin(), ends.end(), name) != ends.end()) {
      end_ = name;
      return true;
    }
    Statement statement;
    statement.line = line;
    parse_statement(name, statement);
    block.push_back(std::move(statement));
    return false;
  }

  void parse_statement(const std::string& name, Statement& statement) {
    if (name == "if") return parse_if(statement);
    if (name == "for") return parse_for(statement);
    if (name == "set") return parse_set(statement);
    if (name == "macro") return parse_macro(statement);
    if (name == "filter") return parse_filter(statement);
    if (name == "generation") return parse_group(statement);
    if (name == "call") return parse_call(statement);
    if (name == "do") {
      statement.kind = Statement::Kind::kDo;
      statement.expressions.push_back(expressions_.parse());
      return end_tag();
    }
    if (name == "break" || name == "continue") {
      const bool leaves = name == "break";
      statement.kind = leaves ? Statement::Kind::kBreak : Statement::Kind::kContinue;
      return end_tag();
    }
    cursor_.fail("the tag \"" + name + "\" is not supported");
  }

  void end_tag() { cursor_.expect(Kind::kBlockEnd, "%}"); }

  void parse_if(Statement& statement) {
    statement.kind = Statement::Kind::kIf;
    do {
      statement.expressions.push_back(expressions_.parse());
      end_tag();
      statement.blocks.push_back(parse_block({"elif", "else", "endif"}));
    } while (!cursor_.error() && end_ == "elif");
    if (end_ == "else") {
      end_tag();
      statement.blocks.push_back(parse_block({"endif"}));
    }
    end_tag();
  }

  void parse_for(Statement& statement) {
    statement.kind = Statement::Kind::kFor;
    do {
      statement.names.push_back(cursor_.expect(Kind::kName, "a loop variable"));
    } while (cursor_.accept(","));
    cursor_.expect_name("in");
    statement.expressions.push_back(expressions_.parse_without_condition());
    const bool filtered = cursor_.accept_name("if");
    statement.expressions.push_back(filtered ? expressions_.parse() : nullptr);
    end_tag();
    statement.blocks.push_back(parse_block({"else", "endfor"}));
    if (end_ == "else") {
      end_tag();
      statement.blocks.push_back(parse_block({"endfor"}));
    }
    end_tag();
  }

  void parse_set(Statement& statement) {
    statement.kind = Statement::Kind::kSet;
    statement.names.push_back(cursor_.expect(Kind::kName, "a variable"));
    if (cursor_.accept(".")) {
      statement.kind = Statement::Kind::kSetMember;
      statement.names.push_back(cursor_.expect(Kind::kName, "a member"));
    }
    while (cursor_.accept(",")) {
      statement.names.push_back(cursor_.expect(Kind::kName, "a variable"));
    }
    if (cursor_.accept("=")) {
      statement.expressions.push_back(expressions_.parse());
      return end_tag();
    }
    statement.kind = Statement::Kind::kSetBlock;
    statement.expressions.push_back(cursor_.accept("|") ? expressions_.parse_filters(nullptr)
                                                        : nullptr);
    end_tag();
    statement.blocks.push_back(parse_block({"endset"}));
    end_tag();
  }

  void parse_macro(Statement& statement) {
    statement.kind = Statement::Kind::kMacro;
    statement.text = cursor_.expect(Kind::kName, "a macro's name");
    cursor_.expect(Kind::kOperator, "(");
    parse_parameters(statement);
    end_tag();
    statement.blocks.push_back(parse_block({"endmacro"}));
    end_tag();
  }

  void parse_call(Statement& statement) {
    statement.kind = Statement::Kind::kCallBlock;
    statement.text = "caller";
    if (cursor_.accept("(")) parse_parameters(statement);
    statement.expressions.push_back(expressions_.parse());
    end_tag();
    statement.blocks.push_back(parse_block({"endcall"}));
    end_tag();
  }

  // After "(".
  void parse_parameters(Statement& statement) {
    while (!cursor_.error() && !cursor_.accept(")")) {
      statement.names.push_back(cursor_.expect(Kind::kName, "a parameter"));
      statement.expressions.push_back(cursor_.accept("=") ? expressions_.parse() : nullptr);
      if (!cursor_.is_operator(")") && !cursor_.accept(",")) cursor_.fail("expected \",\"");
    }
  }

  void parse_filter(Statement& statement) {
    statement.kind = Statement::Kind::kFilter;
    statement.expressions.push_back(expressions_.parse_filters(nullptr));
    end_tag();
    statement.blocks.push_back(parse_block({"endfilter"}));
    end_tag();
  }

  void parse_group(Statement& statement) {
    statement.kind = Statement::Kind::kGroup;
    end_tag();
    statement.blocks.push_back(parse_block({"endgeneration"}));
    end_tag();
  }

  TokenCursor cursor_;
  ExpressionParser expressions_;
  std::string end_;
  int depth_ = 0;
};

}  // namespace

Result<Block> parse_template(std::string_view source) {
  auto tokens = tokenize_template(source);
  if (!tokens) return tokens.error();
  return Parser(std::move(*tokens)).run();
}

}  // namespace backplane::local

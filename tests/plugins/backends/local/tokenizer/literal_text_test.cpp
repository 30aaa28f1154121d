// SPDX-License-Identifier: Apache-2.0
// Names of control tokens that clients write are text; those of the template are tokens.
#include "plugins/backends/local/tokenizer/literal_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

class LiteralText : public testing::Test {
 protected:
  LiteralText() : file_(std::move(*ModelFile::open(tiny_model().save("literal.gguf")))) {
    tokenizer_ = std::move(*Tokenizer::load(file_));
  }
  const Vocabulary& vocabulary() const { return tokenizer_->vocabulary(); }
  std::vector<Token> encode(const std::string& text) const {
    return tokenizer_->encode(text, {false, true, true});
  }
  ModelFile file_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(LiteralText, MarkedNamesAreTokenizedAsTheirLetters) {
  for (const std::string text : {"</s>", "a</s>b", "<|end|></s>", "a <s>", "</s></s>"}) {
    EXPECT_TRUE(has_control_names(text, vocabulary())) << text;
    const std::string marked = mark_literal(text, vocabulary());
    EXPECT_EQ(encode(marked), tokenizer_->encode(text, {})) << text;
    EXPECT_NE(encode(marked), encode(text)) << text;
  }
}

TEST_F(LiteralText, ANameInTwoTextsIsNoTokenEither) {
  const std::string whole = mark_literal("a</", vocabulary()) + mark_literal("s>b", vocabulary());
  EXPECT_EQ(encode(whole), tokenizer_->encode("a</s>b", {}));
}

TEST_F(LiteralText, TheTemplatesOwnNamesStayTokens) {
  const std::string text = "<s>" + mark_literal("a</s>", vocabulary()) + "</s>";
  const std::vector<Token> tokens = encode(text);
  EXPECT_EQ(tokens.front(), *vocabulary().find("<s>"));
  EXPECT_EQ(tokens.back(), *vocabulary().find("</s>"));
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), *vocabulary().find("</s>")), 1);
}

TEST_F(LiteralText, OtherTextIsLeft) {
  for (const std::string text : {"", "user", "a < b", "1 <> 2", "the end|>", "<thing>"}) {
    EXPECT_FALSE(has_control_names(text, vocabulary())) << text;
    EXPECT_EQ(mark_literal(text, vocabulary()), text);
  }
}

}  // namespace
}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// An answer whose tokens the test dictates by its logits.
#include "plugins/backends/local/engine/answer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "plugins/backends/local/files/model_file.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

class Heard : public StreamListener {
 public:
  void on_piece(const Piece& piece) override {
    text += piece.text;
    pieces.emplace_back(piece.text);
    tokens += piece.tokens;
    for (const LogprobEntry& entry : piece.logprobs) logprobs.push_back(entry);
  }
  void on_finish(FinishReason how, const Usage& used) override {
    reason = how;
    usage = used;
  }
  void on_error(const Error& failure) override { error = failure; }

  std::string text;
  std::vector<std::string> pieces;
  std::uint32_t tokens = 0;
  std::vector<LogprobEntry> logprobs;
  std::optional<FinishReason> reason;
  std::optional<Error> error;
  Usage usage;
};

class AnswerTest : public testing::Test {
 protected:
  AnswerTest()
      : file_(std::move(*ModelFile::open(tiny_model().save("answer.gguf")))),
        tokenizer_(std::move(*Tokenizer::load(file_))) {
    request_.prompt_tokens = {1};
    request_.max_tokens = 100;
    request_.sampling.temperature = 0;
  }
  Token token(std::string_view text) const { return *tokenizer_->vocabulary().find(text); }
  // The tokens in the order in which a model wants to say them; a second one where it may not.
  void say(const std::vector<Token>& tokens, Token otherwise = 0) {
    Answer answer(request_, heard_);
    for (const Token wanted : tokens) {
      std::vector<float> logits(tokenizer_->vocabulary().size(), 0.0f);
      logits[static_cast<std::size_t>(otherwise)] = 5;
      logits[static_cast<std::size_t>(wanted)] = 10;
      if (answer.accept(logits, *tokenizer_)) return;
    }
  }
  std::vector<Token> letters(std::string_view text) const {
    std::vector<Token> tokens;
    for (const char c : text) tokens.push_back(token(std::string(1, c)));
    return tokens;
  }

  ModelFile file_;
  std::unique_ptr<Tokenizer> tokenizer_;
  GenerateRequest request_;
  Heard heard_;
};

TEST_F(AnswerTest, EndsAtStopTokensWithoutTheirText) {
  request_.stop_tokens = {token("c")};
  say(letters("abcd"));
  EXPECT_EQ(heard_.text, "ab");
  EXPECT_EQ(heard_.reason, FinishReason::kStop);
  EXPECT_EQ(heard_.usage.completion_tokens, 3U);
}

TEST_F(AnswerTest, DoesNotEndBeforeItsLeastTokens) {
  request_.min_tokens = 2;
  request_.stop_tokens = {token("c")};
  say({token("</s>"), token("c"), token("a"), token("</s>")}, token("b"));
  EXPECT_EQ(heard_.text, "bba");
  EXPECT_EQ(heard_.reason, FinishReason::kStop);
}

TEST_F(AnswerTest, MayIgnoreTheEnd) {
  request_.ignore_eos = true;
  request_.max_tokens = 4;
  say({token("a"), token("</s>"), token("<|end|>"), token("c")}, token("b"));
  EXPECT_EQ(heard_.text, "abbc");
  EXPECT_EQ(heard_.reason, FinishReason::kLength);
}

TEST_F(AnswerTest, ShowsControlTokensOnlyWhereAsked) {
  request_.shown_tokens = {token("<s>")};
  say({token("a"), token("<s>"), token("<unk>"), token("b"), token("</s>")});
  EXPECT_EQ(heard_.text, "a<s>b");
}

TEST_F(AnswerTest, ADamagedModelIsAnErrorAndNoText) {
  for (const float temperature : {0.0f, 1.0f}) {
    heard_ = {};
    request_.sampling.temperature = temperature;
    Answer answer(request_, heard_);
    const std::vector<float> logits(tokenizer_->vocabulary().size(), std::nanf(""));
    EXPECT_TRUE(answer.accept(logits, *tokenizer_));
    ASSERT_TRUE(heard_.error);
    EXPECT_NE(heard_.error->message.find("not finite"), std::string::npos);
    EXPECT_FALSE(heard_.reason);
    EXPECT_EQ(heard_.text, "");
  }
}

TEST_F(AnswerTest, TellsOfEveryTokenOnceItsTextIsCertain) {
  request_.top_logprobs = 2;
  request_.stop = {"cx"};
  std::vector<Token> tokens = letters("abcd");
  for (const char* byte : {"<0xE2>", "<0x82>", "<0xAC>"}) tokens.push_back(token(byte));
  tokens.push_back(token("</s>"));
  say(tokens);
  EXPECT_EQ(heard_.text, "abcd\xe2\x82\xac");
  EXPECT_EQ(heard_.pieces, (std::vector<std::string>{"a", "b", "cd", "\xe2\x82\xac"}));
  ASSERT_EQ(heard_.logprobs.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(heard_.logprobs[i].picked.token, tokens[i]);
    EXPECT_GT(heard_.logprobs[i].picked.logprob, -0.1f);
    ASSERT_EQ(heard_.logprobs[i].top.size(), 2U);
    EXPECT_EQ(heard_.logprobs[i].top[0].token, tokens[i]);
  }
  EXPECT_EQ(heard_.tokens, 7U);
}

TEST_F(AnswerTest, TellsNothingOfTokensThatAStopStringCutOff) {
  request_.top_logprobs = 0;
  request_.stop = {"cd"};
  say(letters("abcde"));
  EXPECT_EQ(heard_.text, "ab");
  ASSERT_EQ(heard_.logprobs.size(), 2U);
  EXPECT_TRUE(heard_.logprobs[1].top.empty());
}

TEST_F(AnswerTest, RefusesWhatItCannotDo) {
  const std::size_t vocabulary = tokenizer_->vocabulary().size();
  EXPECT_TRUE(check_answer(request_, vocabulary));
  request_.stop_tokens = {static_cast<Token>(vocabulary)};
  EXPECT_NE(check_answer(request_, vocabulary).error().message.find("stop_token_ids"),
            std::string::npos);
  request_.stop_tokens.clear();
  request_.top_logprobs = 21;
  EXPECT_NE(check_answer(request_, vocabulary).error().message.find("top_logprobs"),
            std::string::npos);
}

}  // namespace
}  // namespace backplane::local

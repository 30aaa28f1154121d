// SPDX-License-Identifier: Apache-2.0
// Answers of a model that says anything it may, at random: what a grammar leaves is always what was
// asked for, and the parser reads it so.
#include "plugins/backends/local/output/answer_grammar.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <iostream>
#include <random>

#include "plugins/backends/local/engine/answer.hpp"
#include "plugins/backends/local/output/output_parser.hpp"
#include "plugins/backends/local/request/request.hpp"
#include "plugins/backends/local/structured/token_trie.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

struct Call {
  std::string name;
  std::string arguments;
};

class Read : public StreamListener, public OutputListener {
 public:
  Read(const OutputFormat& format, bool thinking) : parser_(format, thinking, *this) {}
  void on_piece(const Piece& piece) override { parser_.push(piece.text); }
  void on_finish(FinishReason how, const Usage&) override {
    parser_.finish();
    reason = how;
  }
  void on_error(const Error&) override {}
  void on_content(std::string_view text) override { content += text; }
  void on_reasoning(std::string_view text) override { reasoning += text; }
  void on_tool_call(std::string_view name, std::string_view) override {
    calls.push_back({std::string(name), {}});
  }
  void on_arguments(std::string_view text) override { calls.back().arguments += text; }

  std::string content, reasoning;
  std::vector<Call> calls;
  FinishReason reason = FinishReason::kCancelled;

 private:
  OutputParser parser_;
};

class AnswerGrammar : public testing::Test {
 protected:
  AnswerGrammar()
      : file_(std::move(*ModelFile::open(tiny_model().save("answer_grammar.gguf")))),
        tokenizer_(std::move(*Tokenizer::load(file_))),
        trie_(*tokenizer_) {}

  static ChatFields chat(const std::string& members) {
    auto parsed = parse_request(
        "chat.completions", R"({"messages":[{"role":"user","content":"hi"}],)" + members + "}", {});
    EXPECT_TRUE(parsed) << parsed.error().message;
    return std::get<ChatFields>(parsed->input);
  }

  Token byte_token(char c) const {
    constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    const char text[] = {'<', '0', 'x', kHex[byte / 16], kHex[byte % 16], '>', 0};
    return *tokenizer_->vocabulary().find(text);
  }
  // `favour` is likely as long as it goes on with what was said.
  Read answer(const ChatFields& fields, const OutputFormat& format, bool thinking,
              std::mt19937& random, const std::string& favour = {}) {
    const Result<GrammarPointer> grammar = answer_grammar(fields, format, thinking);
    EXPECT_TRUE(grammar) << (grammar ? "" : grammar.error().message);
    GenerateRequest request;
    request.prompt_tokens = {1};
    request.max_tokens = 3000;
    request.grammar = *grammar;
    request.trie = &trie_;
    request.sampling.seed = random();
    Read read(format, thinking);
    Answer said(request, read);
    std::vector<Token> wanted;
    for (const char c : favour) wanted.push_back(byte_token(c));
    std::normal_distribution<float> normal(0, 1);
    for (std::size_t step = 0;; ++step) {
      std::vector<float> logits(tokenizer_->vocabulary().size());
      for (float& logit : logits) logit = normal(random);
      for (const char closing : {'"', '}', ']'}) {  // so that values end
        const auto token = *tokenizer_->vocabulary().find(closing == '"'   ? "<0x22>"
                                                          : closing == '}' ? "<0x7D>"
                                                                           : "<0x5D>");
        logits[static_cast<std::size_t>(token)] += 5;
      }
      if (step < wanted.size()) logits[static_cast<std::size_t>(wanted[step])] += 50;
      if (said.accept(logits, *tokenizer_)) return read;
    }
  }

  ModelFile file_;
  std::unique_ptr<Tokenizer> tokenizer_;
  TokenTrie trie_;
};

constexpr char kTools[] = R"("tools":[
    {"type":"function","function":{"name":"weather","parameters":{"type":"object",
     "properties":{"city":{"type":"string","maxLength":5},"days":{"type":"integer"}},
     "required":["city"],"additionalProperties":false}}},
    {"type":"function","function":{"name":"now","parameters":{"type":"object",
     "properties":{},"additionalProperties":false}}}])";

void expect_calls(const Read& read) {
  EXPECT_EQ(read.content, "");
  for (const Call& call : read.calls) {
    boost::system::error_code failure;
    const json::value arguments = json::parse(call.arguments, failure);
    ASSERT_FALSE(failure) << call.arguments;
    ASSERT_TRUE(arguments.is_object()) << call.arguments;
    if (call.name == "weather") {
      EXPECT_TRUE(arguments.get_object().contains("city"));
    } else {
      EXPECT_EQ(call.name, "now");
      EXPECT_TRUE(arguments.get_object().empty());
    }
  }
}

TEST_F(AnswerGrammar, WhatMustBeACallIsOneInEveryFormat) {
  const std::uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  for (const ToolFormat tools :
       {ToolFormat::kGeneric, ToolFormat::kHermes, ToolFormat::kLlama3, ToolFormat::kMistral,
        ToolFormat::kMistralNamed, ToolFormat::kMistralNamedId}) {
    for (int round = 0; round < 6; ++round) {
      const OutputFormat format{tools, {}};
      const ChatFields required =
          chat(std::string(kTools) + R"(,"tool_choice":"required","parallel_tool_calls":false)");
      const Read read = answer(required, format, false, random);
      EXPECT_EQ(read.reason, FinishReason::kStop);
      EXPECT_EQ(read.calls.size(), 1U) << static_cast<int>(tools) << ": " << read.content;
      expect_calls(read);
      const ChatFields named = chat(std::string(kTools) + R"(,"tool_choice":
          {"type":"function","function":{"name":"now"}})");
      const Read now = answer(named, format, false, random);
      ASSERT_FALSE(now.calls.empty());
      EXPECT_EQ(now.calls[0].name, "now");
      expect_calls(now);
    }
  }
}

TEST_F(AnswerGrammar, ACallThatIsBegunIsHeldToItsForm) {
  std::mt19937 random(3);
  const ChatFields fields = chat(kTools);
  for (int round = 0; round < 10; ++round) {
    const Read read = answer(fields, {ToolFormat::kHermes, {}}, false, random, "<tool_call>");
    EXPECT_FALSE(read.calls.empty());
    expect_calls(read);
  }
}

TEST_F(AnswerGrammar, JsonComesBehindTheThoughts) {
  std::mt19937 random(4);
  const ChatFields fields = chat(R"("response_format":{"type":"json_schema","json_schema":
      {"name":"a","schema":{"type":"object","properties":{"ok":{"type":"boolean"}},
       "required":["ok"],"additionalProperties":false}}})");
  const OutputFormat thinks{ToolFormat::kNone, {"<think>", "</think>"}};
  for (int round = 0; round < 5; ++round) {
    for (const auto& [format, thinking, favour] :
         {std::tuple{OutputFormat{}, false, ""}, std::tuple{thinks, true, "so</think>"},
          std::tuple{thinks, false, "<think>so</think>"}, std::tuple{thinks, false, "{"}}) {
      const Read read = answer(fields, format, thinking, random, favour);
      boost::system::error_code failure;
      const json::value value = json::parse(read.content, failure);
      ASSERT_FALSE(failure) << read.content;
      EXPECT_TRUE(value.at("ok").is_bool());
      EXPECT_EQ(read.reasoning.empty(), std::string(favour).find("so") == std::string::npos);
    }
  }
}

TEST_F(AnswerGrammar, NamesTheKeywordItCannotEnforce) {
  const std::string odd = R"({"type":"string","pattern":"(?<=a)b"})";
  const ChatFields form =
      chat(R"("response_format":{"type":"json_schema","json_schema":{"name":"a","schema":)" + odd +
           "}}");
  const auto refused = answer_grammar(form, {}, false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("pattern"), std::string::npos) << refused.error().message;
  const auto tool = [&](const char* strict) {
    return chat(R"("tool_choice":"required","tools":[{"type":"function","function":{"name":"f",
        "strict":)" +
                std::string(strict) + R"(,"parameters":{"type":"object","properties":
        {"a":)" +
                odd + "}}}}]");
  };
  const auto strict = answer_grammar(tool("true"), {ToolFormat::kHermes, {}}, false);
  ASSERT_FALSE(strict);
  EXPECT_NE(strict.error().message.find("tools[0].function.parameters"), std::string::npos)
      << strict.error().message;
  EXPECT_TRUE(answer_grammar(tool("false"), {ToolFormat::kHermes, {}}, false));
}

TEST_F(AnswerGrammar, AnythingGoesWhereNothingWasAsked) {
  EXPECT_EQ(*answer_grammar(chat(R"("n":1)"), {ToolFormat::kHermes, {}}, false), nullptr);
  EXPECT_EQ(*answer_grammar(chat(kTools), {ToolFormat::kGeneric, {}}, false), nullptr);
  const ChatFields none = chat(std::string(kTools) + R"(,"tool_choice":"none")");
  EXPECT_EQ(*answer_grammar(none, {ToolFormat::kHermes, {}}, false), nullptr);
}

}  // namespace
}  // namespace backplane::local

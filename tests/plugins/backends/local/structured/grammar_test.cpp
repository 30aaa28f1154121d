// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/grammar.hpp"

#include <gtest/gtest.h>

#include "plugins/backends/local/structured/grammar_constraint.hpp"
#include "plugins/backends/local/structured/matcher.hpp"
#include "tests/plugins/backends/local/structured/following.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

GrammarPointer schema(const char* text) {
  auto grammar = compile_json_schema(text, {});
  EXPECT_TRUE(grammar) << grammar.error().message;
  return *grammar;
}

// A call as Hermes and Qwen write it.
GrammarPointer tool_call() {
  const auto call = [](const char* name, const char* parameters) {
    return sequence({literal(std::string(name) + "\", \"arguments\": "), schema(parameters)});
  };
  return sequence({literal("<tool_call>\n{\"name\": \""),
                   choice({call("now", R"({"type":"object","additionalProperties":false})"),
                           call("nowhere", R"({"type":"object","required":["x"]})")}),
                   literal("}\n</tool_call>")});
}

TEST(Grammar, PutsTextsTogether) {
  const auto calls = repeat(sequence({tool_call(), literal("\n")}), 1, 2);
  const std::string one = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\n";
  const std::string two =
      "<tool_call>\n{\"name\": \"nowhere\", \"arguments\": {\"x\":1}}\n</tool_call>\n";
  EXPECT_TRUE(accepts(calls, one));
  EXPECT_TRUE(accepts(calls, one + two));
  EXPECT_FALSE(accepts(calls, one + two + one));
  EXPECT_FALSE(accepts(calls, ""));
  EXPECT_FALSE(accepts(calls, "<tool_call>\n{\"name\": \"nowhere\", \"arguments\": {}}"));
}

TEST(Grammar, FreeTextUntilATrigger) {
  const auto grammar = free_text({{"<tool_call>", literal("!")}, {"<think", literal(">")}}, true);
  EXPECT_TRUE(accepts(grammar, ""));
  EXPECT_TRUE(accepts(grammar, "a <tool_cal <too\xff"));
  EXPECT_TRUE(accepts(grammar, "a <<tool_call>!"));
  EXPECT_TRUE(accepts(grammar, "<think>"));
  EXPECT_FALSE(accepts(grammar, "<tool_call>"));
  EXPECT_FALSE(accepts(grammar, "<tool_call>?"));
  EXPECT_FALSE(accepts(grammar, "<tool_call>! more"));
  const auto must = free_text({{"X", literal("1")}}, false);
  EXPECT_TRUE(accepts(must, "abX1"));
  EXPECT_FALSE(accepts(must, "ab"));
  EXPECT_TRUE(accepts(free_text({}, true), "anything"));
}

TEST(Grammar, MatchesPatternsAndLongLiterals) {
  const auto id = matching("[a-zA-Z0-9]{9}", "id");
  ASSERT_TRUE(id);
  EXPECT_TRUE(accepts(*id, "abcDEF123"));
  EXPECT_FALSE(accepts(*id, "abcDEF12"));
  EXPECT_FALSE(matching("(", "id"));
  const std::string text(10'000, 'x');
  EXPECT_TRUE(accepts(literal(text), text));
  EXPECT_FALSE(accepts(literal(text), text + "x"));
  EXPECT_TRUE(accepts(literal(""), ""));
}

struct Loaded {
  ModelFile file;
  std::unique_ptr<Tokenizer> tokenizer;
  TokenTrie trie;
};

std::unique_ptr<Loaded> load_tiny() {
  auto file = ModelFile::open(tiny_model().save("structured.gguf"));
  auto tokenizer = Tokenizer::load(*file);
  TokenTrie trie(**tokenizer);
  return std::make_unique<Loaded>(Loaded{std::move(*file), std::move(*tokenizer), std::move(trie)});
}

std::vector<std::uint64_t> mask_of(Constraint& constraint, const TokenTrie& trie) {
  std::vector<std::uint64_t> mask(trie.mask_words(), ~std::uint64_t{0});
  constraint.restrict(mask);
  return mask;
}

bool has(const std::vector<std::uint64_t>& mask, Token token) {
  const auto place = static_cast<std::size_t>(token);
  return (mask[place / 64] >> (place % 64) & 1) != 0;
}

// What the walks of the trie find is what each token's bytes, one by one, lead to.
void compare_masks(const GrammarPointer& grammar, const TokenTrie& trie, std::mt19937& random) {
  const auto constraint = make_constraint(grammar, trie);
  std::string text;
  for (int step = 0; step < 60 && !constraint->is_over(); ++step) {
    const auto mask = mask_of(*constraint, trie);
    std::vector<Token> allowed;
    for (std::size_t i = 0; i < trie.vocabulary_size(); ++i) {
      const auto token = static_cast<Token>(i);
      if (trie.ends_generation(token)) {
        EXPECT_EQ(has(mask, token), accepts(grammar, text)) << text;
        continue;
      }
      const std::string more = text + trie.bytes(token);
      const bool fits = !trie.bytes(token).empty() && accepted_bytes(grammar, more) == more.size();
      ASSERT_EQ(has(mask, token), fits) << testing::PrintToString(more);
      if (fits) allowed.push_back(token);
    }
    if (allowed.empty()) return;
    const Token token = allowed[random() % allowed.size()];
    constraint->accept(token);
    text += trie.bytes(token);
  }
}

TEST(GrammarConstraint, AllowsExactlyTheTokensThatFit) {
  const auto loaded = load_tiny();
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const GrammarPointer grammars[] = {
      any_json_object(),
      tool_call(),
      schema(R"({"type":"string"})"),
      schema(R"({"type":"string","minLength":3,"maxLength":9})"),
      schema(R"({"type":"string","pattern":"^[a-f]{2,9}$","maxLength":7})"),
      schema(R"({"type":"string","pattern":"\"|\\\\|\u00e9"})"),
      schema(R"({"enum":["the \"end\"","then\u00e9","\n\t/",12,"th"]})"),
      schema(R"({"type":"object","properties":{"th":{"type":"integer"},"the":{"type":"null"}},
                 "patternProperties":{"^t":{}},"maxProperties":3})"),
      schema(R"({"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]})"),
      free_text({{"th", schema("{}")}}, true),
      free_text({{"<", literal("e>")}, {"he", choice({literal("x"), marker("<|end|>")})}}, false),
      sequence({marker("</s>"), literal("the")}),
  };
  for (const GrammarPointer& grammar : grammars) {
    for (int round = 0; round < 4; ++round) compare_masks(grammar, loaded->trie, random);
  }
}

TEST(GrammarConstraint, EndsWhereTheTextIsComplete) {
  const auto loaded = load_tiny();
  const auto constraint = make_constraint(literal("ab"), loaded->trie);
  const auto at = [](char byte) { return kTinyFirstByte + static_cast<Token>(byte); };
  EXPECT_FALSE(has(mask_of(*constraint, loaded->trie), kTinyEos));
  EXPECT_TRUE(has(mask_of(*constraint, loaded->trie), at('a')));
  EXPECT_FALSE(has(mask_of(*constraint, loaded->trie), at('b')));
  constraint->accept(at('a'));
  EXPECT_FALSE(constraint->is_over());
  constraint->accept(at('b'));
  EXPECT_TRUE(constraint->is_over());
  const auto mask = mask_of(*constraint, loaded->trie);
  for (std::size_t i = 0; i < loaded->trie.vocabulary_size(); ++i) {
    const auto token = static_cast<Token>(i);
    EXPECT_EQ(has(mask, token), loaded->trie.ends_generation(token));
  }
}

TEST(GrammarConstraint, LongTextsKeepTheirPlace) {
  const auto loaded = load_tiny();
  const auto constraint = make_constraint(schema(R"({"type":"array","items":{}})"), loaded->trie);
  const auto say = [&](std::string_view text) {
    for (const char byte : text) {
      const Token token = kTinyFirstByte + static_cast<Token>(static_cast<std::uint8_t>(byte));
      ASSERT_TRUE(has(mask_of(*constraint, loaded->trie), token)) << text;
      constraint->accept(token);
    }
  };
  say("[");
  for (int i = 0; i < 2'000; ++i) say("{\"name" + std::to_string(i) + "\":[");
  say("1");
  for (int i = 0; i < 2'000; ++i) say("]}");
  say("]");
  EXPECT_TRUE(constraint->is_over());
}

}  // namespace
}  // namespace backplane::local

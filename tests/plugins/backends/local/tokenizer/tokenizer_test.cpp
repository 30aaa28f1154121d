// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "plugins/backends/local/tokenizer/pre_tokenizer.hpp"
#include "plugins/backends/local/tokenizer/unicode.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

struct Loaded {
  std::unique_ptr<ModelFile> file;
  std::unique_ptr<Tokenizer> tokenizer;
};

Loaded load(const GgufWriter& writer) {
  auto file = ModelFile::open(writer.save("tokenizer.gguf"));
  EXPECT_TRUE(file);
  Loaded loaded{std::make_unique<ModelFile>(std::move(*file)), nullptr};
  auto tokenizer = Tokenizer::load(*loaded.file);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  loaded.tokenizer = std::move(*tokenizer);
  return loaded;
}

std::vector<std::string> names(const Tokenizer& tokenizer, const std::vector<Token>& tokens) {
  std::vector<std::string> out;
  for (const Token token : tokens) out.emplace_back(tokenizer.vocabulary().text(token));
  return out;
}

using Names = std::vector<std::string>;
const std::string kMark = "\xe2\x96\x81";

struct SpmCase {
  std::string text;
  EncodeOptions options;
  Names expected;
};

TEST(SpmTokenizer, MergesByScoreAndFallsBackToBytes) {
  const auto loaded = load(tiny_model());
  const SpmCase cases[] = {
      {"", {}, {}},
      {"the", {}, {kMark, "the"}},
      {"a th", {}, {kMark, "a", kMark, "th"}},
      {"\xc3\xa9", {}, {kMark, "<0xC3>", "<0xA9>"}},
      {"A\xff", {}, {kMark, "<0x41>", "<0xFF>"}},
      {"a", {true, false}, {"<s>", kMark, "a"}},
      {"a</s>b", {false, true}, {kMark, "a", "</s>", kMark, "b"}},
      {"a<|end|>", {false, true}, {kMark, "a", "<|end|>"}},
      {"</s>", {false, false}, {kMark, "<0x3C>", "<0x2F>", "s", "<0x3E>"}},
  };
  for (const SpmCase& c : cases) {
    EXPECT_EQ(names(*loaded.tokenizer, loaded.tokenizer->encode(c.text, c.options)), c.expected)
        << c.text;
  }
}

TEST(SpmTokenizer, TheFileDecidesAboutPrefixAndEnds) {
  GgufWriter writer = tiny_model();
  writer.add_boolean("tokenizer.ggml.add_space_prefix", false);
  writer.add_boolean("tokenizer.ggml.add_bos_token", false);
  writer.add_boolean("tokenizer.ggml.add_eos_token", true);
  const auto loaded = load(writer);
  EXPECT_EQ(names(*loaded.tokenizer, loaded.tokenizer->encode("a", {true, false})),
            (Names{"a", "</s>"}));
}

TEST(Tokenizer, PiecesAreBytesAndControlTokensAreSilent) {
  const auto loaded = load(tiny_model());
  const auto piece = [&](const char* text) {
    return loaded.tokenizer->piece(*loaded.tokenizer->vocabulary().find(text));
  };
  EXPECT_EQ(piece("<0x0A>"), "\n");
  EXPECT_EQ(piece(kMark.c_str()), " ");
  EXPECT_EQ(piece("the"), "the");
  EXPECT_EQ(piece("</s>"), "");
  EXPECT_EQ(piece("<unk>"), "");
}

TEST(Tokenizer, TurnEndsAreKnownFromMetadataAndByName) {
  const auto loaded = load(tiny_model());
  const Vocabulary& vocabulary = loaded.tokenizer->vocabulary();
  EXPECT_TRUE(vocabulary.ends_generation(*vocabulary.find("</s>")));
  EXPECT_TRUE(vocabulary.ends_generation(*vocabulary.find("<|end|>")));
  EXPECT_FALSE(vocabulary.ends_generation(*vocabulary.find("<s>")));
  EXPECT_FALSE(vocabulary.ends_generation(*vocabulary.find("the")));
}

// "Ġ" is how byte-level vocabularies write a space.
GgufWriter bpe_model() {
  GgufWriter writer;
  writer.add_text("tokenizer.ggml.model", "gpt2");
  writer.add_text("tokenizer.ggml.pre", "gpt-2");
  writer.add_texts("tokenizer.ggml.tokens", {"a", "b", "c", "\xc4\xa0", "ab", "bc", "abc",
                                             "\xc4\xa0"
                                             "a",
                                             "<|end|>", "<user>", "\xc3\x83"});
  writer.add_integers("tokenizer.ggml.token_type", {1, 1, 1, 1, 1, 1, 1, 1, 3, 4, 1});
  writer.add_texts("tokenizer.ggml.merges", {"b c", "a b", "\xc4\xa0 a", "a bc", "x y", "bad", ""});
  return writer;
}

TEST(BpeTokenizer, MergesInTheOrderOfTheList) {
  const auto loaded = load(bpe_model());
  const SpmCase cases[] = {
      {"abc", {}, {"abc"}},
      {"ab", {}, {"ab"}},
      {"abab", {}, {"ab", "ab"}},
      {" a",
       {},
       {"\xc4\xa0"
        "a"}},
      {"b b", {}, {"b", "\xc4\xa0", "b"}},
      {"a<|end|>b", {false, true}, {"a", "<|end|>", "b"}},
      {"a<user>b", {}, {"a", "<user>", "b"}},
  };
  for (const SpmCase& c : cases) {
    EXPECT_EQ(names(*loaded.tokenizer, loaded.tokenizer->encode(c.text, c.options)), c.expected)
        << c.text;
  }
  EXPECT_EQ(loaded.tokenizer->piece(7), " a");
  EXPECT_EQ(loaded.tokenizer->piece(10), "\xc3");
}

TEST(BpeTokenizer, ALongRunOfOneClassTakesNoQuadraticTime) {
  const auto loaded = load(bpe_model());
  const std::string text(200'000, 'a');
  EXPECT_EQ(loaded.tokenizer->encode(text, {}).size(), text.size());
}

struct BadVocabulary {
  std::function<void(GgufWriter&)> damage;
  const char* expected;
};

TEST(Tokenizer, BadVocabulariesAreRefusedByName) {
  const BadVocabulary cases[] = {
      {[](GgufWriter& w) { w.add_text("tokenizer.ggml.model", "rwkv"); }, "\"rwkv\""},
      {[](GgufWriter& w) { w.add_text("tokenizer.ggml.pre", "odd"); }, "\"odd\""},
      {[](GgufWriter& w) { w.add_texts("tokenizer.ggml.tokens", {}); }, "has 0 tokens"},
      {[](GgufWriter& w) { w.add_integers("tokenizer.ggml.token_type", {1}); }, "1 elements for"},
      {[](GgufWriter& w) { w.add_text("tokenizer.ggml.merges", "x"); }, "array of strings"},
  };
  for (const BadVocabulary& bad : cases) {
    GgufWriter writer = bpe_model();
    bad.damage(writer);
    const auto file = ModelFile::open(writer.save("bad_vocabulary.gguf"));
    ASSERT_TRUE(file);
    const auto tokenizer = Tokenizer::load(*file);
    ASSERT_FALSE(tokenizer) << bad.expected;
    EXPECT_NE(tokenizer.error().message.find(bad.expected), std::string::npos)
        << tokenizer.error().message;
  }
}

struct SplitCase {
  const char* rules;
  std::string text;
  Names expected;
};

TEST(PreTokenizer, SplitsAsTheModelsPatternsDo) {
  const SplitCase cases[] = {
      {"gpt-2", "I'll go  now!", {"I", "'ll", " go", " ", " now", "!"}},
      {"gpt-2", "x 123\n", {"x", " 123", "\n"}},
      {"gpt-2", "'S", {"'", "S"}},
      {"llama-bpe", "I'LL 12345\n\n ok", {"I", "'LL", " ", "123", "45", "\n\n", " ok"}},
      {"llama-bpe", "(foo) !!\n", {"(foo", ")", " !!\n"}},
      {"llama-bpe", "a  \n  b", {"a", "  \n", " ", " b"}},
      {"qwen2", "a12", {"a", "1", "2"}},
      {"starcoder", "ab12 3", {"ab", "1", "2", " ", "3"}},
      {"falcon", "a=1234`", {"a", "=", "123", "4", "`"}},
      {"default", "a, b", {"a", ",", " b"}},
      {"deepseek-coder", "if x:\n1", {"if", " x", ":", "\n", "1"}},
  };
  for (const SplitCase& c : cases) {
    const auto rules = PreTokenizer::named(c.rules);
    ASSERT_TRUE(rules) << rules.error().message;
    const auto words = rules->split(c.text);
    EXPECT_EQ(Names(words.begin(), words.end()), c.expected) << c.rules << ": " << c.text;
  }
  EXPECT_FALSE(PreTokenizer::named("unheard of"));
}

TEST(Unicode, DecodesWhatIsValidAndOnlyThat) {
  struct Case {
    std::string text;
    std::uint32_t value;
    std::size_t size;
  };
  const Case cases[] = {{"A", 'A', 1},
                        {"\xc3\xa9", 0xe9, 2},
                        {"\xe2\x82\xac", 0x20ac, 3},
                        {"\xf0\x9f\xa6\x99", 0x1f999, 4},
                        {"\x80", kReplacement, 1},
                        {"\xc0\x80", kReplacement, 1},
                        {"\xe0\x80\x80", kReplacement, 1},
                        {"\xed\xa0\x80", kReplacement, 1},
                        {"\xf4\x90\x80\x80", kReplacement, 1},
                        {"\xe2\x82", kReplacement, 1}};
  for (const Case& c : cases) {
    const CodePoint found = decode_utf8(c.text);
    EXPECT_EQ(found.value, c.value);
    EXPECT_EQ(found.size, c.size);
    if (c.value == kReplacement) continue;
    std::string back;
    append_utf8(found.value, back);
    EXPECT_EQ(back, c.text);
  }
}

TEST(Unicode, Classes) {
  EXPECT_TRUE(is_space(0x3000) && is_space('\n') && !is_space(0x200b));
}

}  // namespace
}  // namespace backplane::local

// SPDX-License-Identifier: Apache-2.0
// Texts and the token ids real vocabularies give them.
#include <gtest/gtest.h>

#include <sstream>

#include "plugins/backends/local/tokenizer/sentencepiece_model.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/plugins/backends/local/recorded.hpp"

namespace backplane::local {
namespace {

std::vector<std::string> split_cases(const std::string& text) {
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::vector<std::string> cases;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find(separator, begin);
    if (end == std::string::npos) return cases;
    cases.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
}

std::vector<Token> parse_ids(const std::string& line) {
  std::istringstream stream(line);
  std::vector<Token> ids;
  for (Token id = 0; stream >> id;) ids.push_back(id);
  return ids;
}

// Undoes a tokenizer: what it says must be the text again, but for SentencePiece's first space.
std::string decode(const Tokenizer& tokenizer, const std::vector<Token>& tokens) {
  std::string text;
  for (const Token token : tokens) text += tokenizer.piece(token);
  return text;
}

class GoldenVocabulary : public testing::TestWithParam<const char*> {};

TEST_P(GoldenVocabulary, TextsGiveTheRecordedTokens) {
  const std::string name = std::string("models/vocab-gguf/") + GetParam() + ".gguf";
  const std::string path = recorded_path(name);
  if (path.empty()) GTEST_SKIP() << "no recorded vocabulary";
  const auto file = ModelFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  const auto tokenizer = Tokenizer::load(*file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto texts = split_cases(file_text(recorded_path(name + ".inp")));
  std::istringstream results(file_text(recorded_path(name + ".out")));
  ASSERT_GT(texts.size(), 40u);
  for (const std::string& text : texts) {
    std::string line;
    ASSERT_TRUE(std::getline(results, line));
    const auto tokens = (*tokenizer)->encode(text, {});
    EXPECT_EQ(tokens, parse_ids(line)) << "text: " << testing::PrintToString(text);
    if (GetParam() == std::string("ggml-vocab-bert-bge")) continue;  // it forgets case and accents
    const std::string decoded = decode(**tokenizer, tokens);
    EXPECT_TRUE(decoded == text || decoded == " " + text) << decoded;
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, GoldenVocabulary,
                         testing::Values("built-llama3-vocab", "built-qwen2-vocab",
                                         "ggml-vocab-bert-bge", "ggml-vocab-deepseek-coder",
                                         "ggml-vocab-deepseek-llm", "ggml-vocab-falcon",
                                         "ggml-vocab-gpt-2", "ggml-vocab-llama-spm",
                                         "ggml-vocab-mpt", "ggml-vocab-phi-3", "ggml-vocab-refact",
                                         "ggml-vocab-starcoder"));

struct RecordedColumn {
  const char* vocabulary;
  const char* column;
};

void expect_recorded(const ModelFile& file, const std::string& golden, const char* column) {
  const auto tokenizer = Tokenizer::load(file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  for (const auto& line : recorded_lines(golden)) {
    const std::string text(line.at("text").as_string());
    std::vector<Token> expected;
    for (const auto& token : line.at(column).as_array()) {
      expected.push_back(token.to_number<Token>());
    }
    EXPECT_EQ((*tokenizer)->encode(text, {}), expected) << testing::PrintToString(text);
  }
}

class GoldenTokenize : public testing::TestWithParam<RecordedColumn> {};

TEST_P(GoldenTokenize, TextsGiveTheRecordedTokens) {
  const std::string path =
      recorded_path(std::string("models/vocab-gguf/") + GetParam().vocabulary + ".gguf");
  const std::string golden = recorded_path("models/golden/tokenize.dev.jsonl");
  if (path.empty() || golden.empty()) GTEST_SKIP() << "no recorded vocabulary";
  const auto file = ModelFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  expect_recorded(*file, golden, GetParam().column);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, GoldenTokenize,
                         testing::Values(RecordedColumn{"built-llama3-vocab", "llama3"},
                                         RecordedColumn{"built-qwen2-vocab", "qwen2"},
                                         RecordedColumn{"ggml-vocab-llama-spm", "llama2"}),
                         [](const auto& param) { return std::string(param.param.column); });

class GoldenSentencePiece : public testing::TestWithParam<RecordedColumn> {};

TEST_P(GoldenSentencePiece, TextsGiveTheRecordedTokens) {
  const std::string path = recorded_path(std::string("models/tokenizers/") + GetParam().vocabulary);
  const std::string golden = recorded_path("models/golden/tokenize.dev.jsonl");
  if (path.empty() || golden.empty()) GTEST_SKIP() << "no recorded vocabulary";
  ModelFile file(path);
  const Status status = read_sentencepiece_model(file_text(path), file);
  ASSERT_TRUE(status) << status.error().message;
  expect_recorded(file, golden, GetParam().column);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, GoldenSentencePiece,
                         testing::Values(RecordedColumn{"llama2.sentencepiece.model", "llama2"},
                                         RecordedColumn{"mistral.tokenizer.model.v1", "mistral_v1"},
                                         RecordedColumn{
                                             "mistral.mistral_instruct_tokenizer_240323.model.v3",
                                             "mistral_v3"}),
                         [](const auto& param) { return std::string(param.param.column); });

}  // namespace
}  // namespace backplane::local

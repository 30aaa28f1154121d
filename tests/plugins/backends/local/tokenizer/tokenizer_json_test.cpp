// SPDX-License-Identifier: Apache-2.0
// tokenizer.json: what real ones give, small ones step by step, and what is refused.
#include "plugins/backends/local/tokenizer/tokenizer_json.hpp"

#include <gtest/gtest.h>

#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/plugins/backends/local/recorded.hpp"

namespace backplane::local {
namespace {

struct Loaded {
  ModelFile file{"folder"};
  std::unique_ptr<Tokenizer> tokenizer;
  std::string error;
};

std::unique_ptr<Loaded> load(std::string_view text) {
  auto loaded = std::make_unique<Loaded>();
  if (auto status = read_tokenizer_json(text, loaded->file); !status) {
    loaded->error = status.error().message;
    return loaded;
  }
  auto tokenizer = Tokenizer::load(loaded->file);
  if (tokenizer) loaded->tokenizer = std::move(*tokenizer);
  if (!tokenizer) loaded->error = tokenizer.error().message;
  return loaded;
}

std::unique_ptr<Loaded> load_recorded(const std::string& name) {
  const std::string path = recorded_path("models/tokenizers/" + name + ".tokenizer.json");
  return path.empty() ? nullptr : load(file_text(path));
}

using Ids = std::vector<Token>;

struct RecordedText {
  const char* tokenizer;
  std::string text;
  Ids expected;
};

// Ids that Hugging Face's own library gives, special tokens included.
TEST(RecordedTokenizerJson, TextsGiveTheirIds) {
  const std::string symbols = "\u00c4pfel und \u6f22\u5b57 \U0001f999";
  const std::string code = "def f(x):\n        return x+1";
  const RecordedText cases[] = {
      {"phi2", "Hello  world", {15496, 50286, 6894}},
      {"phi2", "I'll pay 12345\n\n\t now", {40, 1183, 1414, 17031, 2231, 628, 197, 783}},
      {"phi2", symbols, {127, 226, 79, 69, 417, 3318, 10545, 120, 95, 27764, 245, 12520, 99, 247}},
      {"phi2", code, {4299, 277, 7, 87, 2599, 198, 50280, 7783, 2124, 10, 16}},
      {"phi2", " \u00bd of it", {25208, 286, 340}},
      {"falcon", "ied 4 \u00bd months", {878, 204, 31, 3068, 133, 2137}},
      {"roberta-base", "Hello  world", {0, 31414, 1437, 232, 2}},
      {"roberta-base",
       symbols,
       {0, 3849, 11936, 642, 506, 523, 2432, 47416, 4394, 7258, 48823, 6800, 8103, 18164, 27, 2}},
      {"roberta-base", "a <mask> b</s>", {0, 102, 50264, 741, 2, 2}},
      {"llama2", "Hello <0x41>", {1, 15043, 529, 29900, 29916, 29946, 29896, 29958}},
      {"phi3", "a<|end|>b", {263, 32007, 289}},
  };
  for (const RecordedText& c : cases) {
    const auto loaded = load_recorded(c.tokenizer);
    if (loaded == nullptr) GTEST_SKIP() << "no recorded tokenizer";
    ASSERT_NE(loaded->tokenizer, nullptr) << loaded->error;
    EXPECT_EQ(loaded->tokenizer->encode(c.text, {true, true}), c.expected)
        << c.tokenizer << ": " << c.text;
  }
}

TEST(RecordedTokenizerJson, Llama2GivesTheIdsOfItsSentencePieceModel) {
  const auto loaded = load_recorded("llama2");
  const std::string golden = recorded_path("models/golden/tokenize.dev.jsonl");
  if (loaded == nullptr || golden.empty()) GTEST_SKIP() << "no recorded tokenizer";
  ASSERT_NE(loaded->tokenizer, nullptr) << loaded->error;
  for (const auto& line : recorded_lines(golden)) {
    Ids expected;
    for (const auto& id : line.at("llama2").as_array()) expected.push_back(id.to_number<Token>());
    const std::string text(line.at("text").as_string());
    EXPECT_EQ(loaded->tokenizer->encode(text, {}), expected) << testing::PrintToString(text);
  }
}

// `steps` goes into a byte-level BPE over a, b, ab, space, 1 and <s>.
std::string byte_level(const std::string& steps, const std::string& model = "") {
  return R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3, "1": 4,)"
         R"( "\u0120a": 5, "11": 6}, "merges": [["a", "b"], "\u0120 a", "1 1"])" +
         model +
         R"(}, "added_tokens": [{"id": 8, "content": "<s>", "special": true},)"
         R"( {"id": 9, "content": "<u>", "lstrip": true, "rstrip": true},)"
         R"( {"id": 10, "content": "b1", "single_word": true}], )" +
         steps + "}";
}
const std::string kBytes =
    R"("pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})";

struct StepCase {
  std::string document;
  std::string text;
  Ids expected;
};

TEST(TokenizerJson, DoesWhatTheStepsSay) {
  const auto sequence = [](const std::string& steps) {
    return byte_level(R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [)" + steps +
                      R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})");
  };
  const StepCase cases[] = {
      {byte_level(kBytes), "ab a11", {2, 5, 6}},
      {byte_level(kBytes), "a <u>  b<s>a", {0, 9, 1, 8, 0}},
      {byte_level(kBytes), "b1 ab1b", {10, 3, 2, 4, 1}},
      {byte_level(R"("pre_tokenizer": {"type": "ByteLevel"})"), "ab", {3, 2}},
      {byte_level(R"("pre_tokenizer": {"type": "ByteLevel"})"), " ab", {3, 2}},
      {sequence(R"({"type": "Digits", "individual_digits": true},)"), "11", {4, 4}},
      {sequence(R"({"type": "Digits"},)"), "11", {6}},
      {sequence(R"({"type": "Split", "pattern": {"String": "a"}, "behavior": "Isolated"},)"),
       "ab",
       {0, 1}},
      {sequence(R"({"type": "Split", "pattern": {"Regex": "b|."}, "behavior": "Removed",)"
                R"( "invert": true},)"),
       "ab",
       {0, 1}},
      {byte_level(kBytes, R"(, "ignore_merges": true, "byte_fallback": false)"), "11", {6}},
      {byte_level(kBytes + R"(, "normalizer": {"type": "Lowercase"})"), "AB", {2}},
      {byte_level(kBytes +
                  R"(, "post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"},
                  {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}},
                  {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [8]}}}]})"),
       "a",
       {8, 0}},
      {byte_level(kBytes + R"(, "post_processor":
                  {"type": "RobertaProcessing", "cls": ["<s>", 8], "sep": ["a", 0]})"),
       "b",
       {8, 1, 0}},
  };
  for (const StepCase& c : cases) {
    const auto loaded = load(c.document);
    ASSERT_NE(loaded->tokenizer, nullptr) << loaded->error;
    EXPECT_EQ(loaded->tokenizer->encode(c.text, {true, true}), c.expected)
        << c.text << " by " << c.document;
  }
}

// Pieces marked by U+2581, with bytes for what is no token.
std::string marked(const std::string& steps) {
  return R"({"model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": {)"
         R"("<unk>": 0, "<0x21>": 1, "\u2581": 2, "a": 3, "\u2581a": 4, "aa": 5, "<s>": 6},)"
         R"("merges": ["\u2581 a", "a a"]}, "added_tokens": [{"id": 6, "content": "<s>",)"
         R"("special": true}, {"id": 0, "content": "<unk>", "special": true}], )" +
         steps + "}";
}

TEST(TokenizerJson, MarksSpacesAsTheStepsSay) {
  const std::string replace =
      R"({"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"})";
  const std::string prepend = R"("normalizer": {"type": "Sequence", "normalizers": [)"
                              R"({"type": "Prepend", "prepend": "\u2581"}, )" +
                              replace + "]}";
  const auto metaspace = [](const char* scheme) {
    return marked(R"("pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "split": )"
                  R"(false, "prepend_scheme": ")" +
                  std::string(scheme) + "\"}");
  };
  const StepCase cases[] = {
      {marked(prepend), "a!<s>a", {4, 1, 6, 4}},
      {marked("\"normalizer\": " + replace), "aa a", {5, 4}},
      {metaspace("first"), "a<s>a", {4, 6, 3}},
      {metaspace("always"), "a<s>a", {4, 6, 4}},
      {metaspace("never"), "a<s>a", {3, 6, 3}},
      {marked(prepend), "<unk>", {0}},
  };
  for (const StepCase& c : cases) {
    const auto loaded = load(c.document);
    ASSERT_NE(loaded->tokenizer, nullptr) << loaded->error;
    EXPECT_EQ(loaded->tokenizer->encode(c.text, {false, true}), c.expected) << c.document;
  }
}

TEST(TokenizerJson, ReadsWordPiece) {
  const auto loaded = load(
      R"({"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
      "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "un": 3, "##able": 4, "!": 5, "a": 6}},
      "normalizer": {"type": "BertNormalizer", "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"},
      "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
      "added_tokens": [{"id": 1, "content": "[CLS]", "special": true},
      {"id": 2, "content": "[SEP]", "special": true}]})");
  ASSERT_NE(loaded->tokenizer, nullptr) << loaded->error;
  EXPECT_EQ(loaded->tokenizer->encode("Un\u00e0ble! \u00e1 able", {true, false}),
            (Ids{1, 3, 4, 5, 6, 0, 2}));
}

struct BadDocument {
  std::string document;
  const char* expected;
};

TEST(TokenizerJson, RefusesNamingThePlace) {
  const auto step = [](const char* text) {
    return byte_level(R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [)"
                      R"({"type": "ByteLevel", "add_prefix_space": false}, )" +
                      std::string(text) + "]}");
  };
  const BadDocument cases[] = {
      {"[]", "folder: tokenizer.json: is not a JSON object"},
      {"{\"model\": ", "is not a JSON object"},
      {"{}", "model: expected an object"},
      {R"({"model": {"type": "Unigram"}})", "model.type: \"Unigram\" is not supported"},
      {R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}})", "a BPE whose words are"},
      {R"({"model": {"type": "WordPiece", "vocab": {}}})", "model.vocab is empty"},
      {byte_level(kBytes, R"(, "end_of_word_suffix": "</w>")"), "model.end_of_word_suffix"},
      {R"({"model": {"type": "WordPiece", "vocab": {"a": 1048576}}})",
       "is not one of 0 to 1048575"},
      {R"({"model": {"type": "WordPiece", "vocab": {"a": -1}}})", "is not one of 0 to 1048575"},
      {R"({"model": {"type": "WordPiece", "vocab": {"a": "b"}}})", "is not one of 0 to 1048575"},
      {byte_level(kBytes + R"(, "normalizer": {"type": "Nmt"})"),
       "normalizer: the normalizer \"Nmt\" is not supported"},
      {step(R"({"type": "Metaspace"})"),
       "pre_tokenizer.pretokenizers[1]: the step \"Metaspace\" with a model of this type"},
      {step(R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"})"),
       "pretokenizers[1]: the pattern ( is wrong at byte 1"},
      {step(R"({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "MergedWithNext"})"),
       "the behavior \"MergedWithNext\" is not supported"},
      {byte_level(kBytes + R"(, "post_processor": {"type": "TemplateProcessing", "single": [
                  {"SpecialToken": {"id": "<s>"}}]})"),
       "post_processor: adding anything but one known token"},
      {byte_level(kBytes + R"(, "post_processor": {"type": "Odd"})"), "the processor \"Odd\""},
  };
  for (const BadDocument& bad : cases) {
    const auto loaded = load(bad.document);
    EXPECT_EQ(loaded->tokenizer, nullptr) << bad.document;
    EXPECT_NE(loaded->error.find(bad.expected), std::string::npos)
        << loaded->error << " for " << bad.document;
  }
}

}  // namespace
}  // namespace backplane::local

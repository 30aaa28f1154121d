// SPDX-License-Identifier: Apache-2.0
// Answers as models write them, and as they write them wrongly; each whole, cut in two at every
// byte, and byte by byte.
#include "plugins/backends/local/output/output_parser.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "tests/plugins/backends/local/recorded.hpp"

namespace backplane::local {
namespace {

// "R:thought C:text T:name/id A:{...}", pieces of a kind joined.
class Log : public OutputListener {
 public:
  void on_content(std::string_view text) override { add('C', text); }
  void on_reasoning(std::string_view text) override { add('R', text); }
  void on_tool_call(std::string_view name, std::string_view id) override {
    kind_ = ' ';
    add('T', id.empty() ? std::string(name) : std::string(name) + "/" + std::string(id));
  }
  void on_arguments(std::string_view json) override { add('A', json); }
  std::string told;

 private:
  void add(char kind, std::string_view more) {
    EXPECT_FALSE(more.empty());
    if (kind != kind_) {
      if (!told.empty()) told += '|';
      told += kind;
      told += ':';
    }
    kind_ = kind;
    told += more;
  }
  char kind_ = ' ';
};

std::string read(const OutputFormat& format, bool thinking,
                 const std::vector<std::string_view>& pieces) {
  Log log;
  OutputParser parser(format, thinking, log);
  for (const std::string_view piece : pieces) parser.push(piece);
  parser.finish();
  return log.told;
}

struct OutputCase {
  ToolFormat tools;
  const char* tag;  // of thoughts; "(" before it: the prompt has opened them
  std::string text;
  std::string log;
};

void PrintTo(const OutputCase& one, std::ostream* out) {
  *out << one.text;
}

class Output : public testing::TestWithParam<OutputCase> {};

TEST_P(Output, IsReadTheSameHoweverItIsCut) {
  const OutputCase& one = GetParam();
  const std::string tag = one.tag;
  const bool thinking = tag.starts_with("(");
  OutputFormat format{one.tools, {}};
  if (!tag.empty()) format.reasoning = {"<think>", "</think>"};
  const std::string_view text = one.text;
  EXPECT_EQ(read(format, thinking, {text}), one.log);
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    ASSERT_EQ(read(format, thinking, {text.substr(0, cut), text.substr(cut)}), one.log)
        << "cut after byte " << cut;
  }
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  EXPECT_EQ(read(format, thinking, bytes), one.log);
}

constexpr auto kNone = ToolFormat::kNone;
constexpr auto kHermes = ToolFormat::kHermes;
constexpr auto kLlama = ToolFormat::kLlama3;
constexpr auto kGeneric = ToolFormat::kGeneric;
constexpr auto kMistral = ToolFormat::kMistral;
constexpr auto kNamed = ToolFormat::kMistralNamed;

INSTANTIATE_TEST_SUITE_P(
    Thoughts, Output,
    testing::Values(
        OutputCase{kNone, "", "<think>a</think> b ", "C:<think>a</think> b "},
        OutputCase{kNone, "think", "<think>\nso \n be it\n</think>\n\nYes.\n",
                   "R:so \n be it|C:Yes.\n"},
        OutputCase{kNone, "think", "\n<think>a</think>b", "R:a|C:b"},
        OutputCase{kNone, "think", "<think>\n\n</think>\n\nYes", "C:Yes"},
        OutputCase{kNone, "think", "Yes <think>no</think>", "C:Yes <think>no</think>"},
        OutputCase{kNone, "think", "<thin", "C:<thin"}, OutputCase{kNone, "think", "  ", "C:  "},
        OutputCase{kNone, "think", "<think>cut off </thi", "R:cut off </thi"},
        OutputCase{kNone, "think", "<think>a < b</thinking</think>c", "R:a < b</thinking|C:c"},
        OutputCase{kNone, "(think", "so\n</think>\nYes", "R:so|C:Yes"},
        OutputCase{kNone, "(think", "</think>Yes", "C:Yes"},
        OutputCase{kHermes, "(think",
                   "Use it\n</think>\n\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n"
                   "</tool_call>",
                   "R:Use it|T:f|A:{}"}));

INSTANTIATE_TEST_SUITE_P(
    Hermes, Output,
    testing::Values(
        OutputCase{kHermes, "", "Just text, 1 < 2.\n", "C:Just text, 1 < 2.\n"},
        OutputCase{kHermes, "",
                   "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": [1, \"}\\\"]\"]}}\n"
                   "</tool_call>",
                   "T:get|A:{\"a\": [1, \"}\\\"]\"]}"},
        OutputCase{
            kHermes, "",
            "Let me see.\n\n<tool_call>{\"arguments\":{\"x\":1},\"name\":\"f\"}</tool_call>\n"
            "<tool_call>{\"name\":\"g\"}</tool_call>\n",
            "C:Let me see.|T:f|A:{\"x\":1}|T:g|A:{}"},
        OutputCase{kHermes, "",
                   "<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call> and more ",
                   "T:f|A:{}|C: and more"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": 1}\"}",
                   "T:f|A:{\"a\": 1}"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"f\",\"arguments\":null}</tool_call>",
                   "T:f|A:{}"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"a\\u00e9\",\"arguments\":{}}",
                   "T:a\xc3\xa9|A:{}"},
        // What is no call is text.
        OutputCase{kHermes, "", "a <tool_call> is a tag", "C:a <tool_call> is a tag"},
        OutputCase{kHermes, "", "a\n<tool_ca", "C:a\n<tool_ca"},
        OutputCase{kHermes, "", "<tool_call>{\"name\": 7}</tool_call>",
                   "C:<tool_call>{\"name\": 7}</tool_call>"},
        OutputCase{kHermes, "", "<tool_call>{\"arguments\": {}}</tool_call>",
                   "C:<tool_call>{\"arguments\": {}}</tool_call>"},
        OutputCase{kHermes, "", "<tool_call>\n{\"name\": \"f", "C:<tool_call>\n{\"name\": \"f"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"\",\"arguments\":{}}",
                   "C:<tool_call>{\"name\":\"\",\"arguments\":{}}"},
        // What was begun stays begun.
        OutputCase{kHermes, "",
                   "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":", "T:f|A:{\"a\":"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1]}</tool_call>",
                   "T:f|A:{\"a\":1]|C:}</tool_call>"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool", "T:f|A:{}"},
        OutputCase{kHermes, "", "<tool_call>{\"name\":\"f\",\"arguments\":{}} oh</tool_call>",
                   "T:f|A:{}|C: oh</tool_call>"}));

INSTANTIATE_TEST_SUITE_P(
    Llama, Output,
    testing::Values(
        OutputCase{kLlama, "", "{\"name\": \"f\", \"parameters\": {\"q\": \"x\"}}",
                   "T:f|A:{\"q\": \"x\"}"},
        OutputCase{kLlama, "",
                   "\n<|python_tag|>{\"type\": \"function\", \"name\": \"f\", "
                   "\"parameters\": {}}",
                   "T:f|A:{}"},
        OutputCase{kLlama, "",
                   "{\"name\":\"f\",\"parameters\":{}}; {\"name\":\"g\",\"parameters\":{\"a\":2}}",
                   "T:f|A:{}|T:g|A:{\"a\":2}"},
        OutputCase{kLlama, "", "{\"title\": \"no call\"}", "C:{\"title\": \"no call\"}"},
        OutputCase{kLlama, "", "{ 1, 2 } is a set", "C:{ 1, 2 } is a set"},
        OutputCase{kLlama, "", "Write {\"name\": \"f\", \"parameters\": {}}",
                   "C:Write {\"name\": \"f\", \"parameters\": {}}"},
        OutputCase{kLlama, "", "<|python_tag|>search.call(query=\"x\")",
                   "C:<|python_tag|>search.call(query=\"x\")"},
        OutputCase{kGeneric, "", " {\"name\": \"f\", \"arguments\": {}}", "T:f|A:{}"}));

INSTANTIATE_TEST_SUITE_P(
    Mistral, Output,
    testing::Values(
        OutputCase{kMistral, "",
                   "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}}, "
                   "{\"name\": \"g\", \"arguments\": {}, \"id\": \"123456789\"}]",
                   "T:f|A:{\"a\": 1}|T:g|A:{}"},
        OutputCase{kMistral, "", "Sure. [TOOL_CALLS] {\"name\": \"f\", \"arguments\": {}}",
                   "C:Sure.|T:f|A:{}"},
        OutputCase{kNamed, "", "[TOOL_CALLS]f[ARGS]{\"a\": {}}[TOOL_CALLS]g.h-1[ARGS]{}",
                   "T:f|A:{\"a\": {}}|T:g.h-1|A:{}"},
        OutputCase{kNamed, "", "[TOOL_CALLS]f[CALL_ID]abcDEF123[ARGS]{}", "T:f/abcDEF123|A:{}"},
        OutputCase{kNamed, "", "[TOOL_CALLS]f{\"a\":1}", "T:f|A:{\"a\":1}"},
        OutputCase{kMistral, "", "[TOOL_CALLS][]", "C:[TOOL_CALLS][]"},
        OutputCase{kMistral, "", "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{}}, oops]",
                   "T:f|A:{}|C:, oops]"},
        OutputCase{kNamed, "", "[TOOL_CALLS]f(x)", "C:[TOOL_CALLS]f(x)"},
        OutputCase{kNamed, "", "[TOOL_CALLS]not a name{}", "C:[TOOL_CALLS]not a name{}"},
        OutputCase{kNamed, "", "[TOOL_CALLS]f[ARGS]", "C:[TOOL_CALLS]f[ARGS]"},
        OutputCase{kNamed, "", "a [TOOL] b", "C:a [TOOL] b"}));

// Whatever comes, it is read alike in any pieces, and text of no call comes out as it went in.
TEST(OutputParser, StandsAnything) {
  const std::uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  constexpr std::string_view kParts[] = {"<tool_call>",
                                         "</tool_call>",
                                         "[TOOL_CALLS]",
                                         "[ARGS]",
                                         "[CALL_ID]",
                                         "<|python_tag|>",
                                         "<think>",
                                         "</think>",
                                         "{\"name\":",
                                         "\"f\"",
                                         ",",
                                         "\"arguments\":",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         "\"",
                                         "\\",
                                         " ",
                                         "\n",
                                         "a",
                                         ":",
                                         "{}",
                                         "<tool_",
                                         "null",
                                         "1.5",
                                         ";",
                                         "\xc3\xa9"};
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (std::size_t i = random() % 14; i > 0; --i) text += kParts[random() % std::size(kParts)];
    OutputFormat format{static_cast<ToolFormat>(random() % 7), {}};
    if (random() % 2 == 0) format.reasoning = {"<think>", "</think>"};
    const bool thinking = random() % 2 == 0;
    const std::string whole = read(format, thinking, {text});
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % 5;
      pieces.push_back(std::string_view(text).substr(at, size));
      at += size;
    }
    ASSERT_EQ(read(format, thinking, pieces), whole) << text;
    if (format.reasoning.open.empty() && whole.find("T:") == std::string::npos && !text.empty()) {
      ASSERT_EQ(whole, "C:" + text);
    }
  }
}

// What is too long is found too long at the same byte, whatever the pieces.
TEST(OutputParser, BoundsAreReadAlikeInAnyPieces) {
  for (const std::size_t length : {250U, 255U, 256U, 257U, 300U, 505U, 513U, 600U}) {
    const std::string filler(length, 'x'), spaces(length, ' ');
    const std::string texts[] = {
        R"([TOOL_CALLS][{"name": "f", ")" + filler + R"(": 1, "arguments": {}}] b)",
        R"([TOOL_CALLS][{"name": ")" + filler + R"(", "arguments": {}}] b)",
        R"({"name": "f", ")" + filler + R"(": 1})",
        "[TOOL_CALLS]f" + spaces + "{} b",
        "[TOOL_CALLS]" + filler + "{} b",
    };
    for (const std::string& text : texts) {
      for (const ToolFormat tools : {kHermes, ToolFormat::kLlama3, kMistral, kNamed}) {
        const OutputFormat format{tools, {}};
        const std::string whole = read(format, false, {text});
        for (const std::size_t size : {1U, 7U, 256U}) {
          std::vector<std::string_view> pieces;
          for (std::size_t at = 0; at < text.size(); at += size) {
            pieces.push_back(std::string_view(text).substr(at, size));
          }
          EXPECT_EQ(read(format, false, pieces), whole) << text << " by " << size;
        }
      }
    }
  }
}

TEST(OutputParser, BoundsWhatItHoldsBack) {
  Log log;
  OutputParser parser({kNamed, {}}, false, log);
  parser.push("[TOOL_CALLS]");
  for (int i = 0; i < 100; ++i) parser.push("aaaaaaaaaa");
  EXPECT_GT(log.told.size(), 500U);
}

struct TemplateCase {
  const char* file;
  ToolFormat tools;
  const char* open;
};

TEST(OutputFormat, IsGivenAwayByTheTemplate) {
  const TemplateCase cases[] = {
      {"meta-llama-Llama-3.1-8B-Instruct", ToolFormat::kLlama3, ""},
      {"meta-llama-Llama-3.2-3B-Instruct", ToolFormat::kLlama3, ""},
      {"meta-llama-Llama-3.3-70B-Instruct", ToolFormat::kLlama3, ""},
      {"Qwen-Qwen2.5-7B-Instruct", ToolFormat::kHermes, ""},
      {"Qwen-Qwen3-0.6B", ToolFormat::kHermes, "<think>"},
      {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use", ToolFormat::kHermes, ""},
      {"mistralai-Mistral-Nemo-Instruct-2407", ToolFormat::kMistral, ""},
      {"unsloth-mistral-Devstral-Small-2507", ToolFormat::kMistralNamed, ""},
      {"Mistral-Small-3.2-24B-Instruct-2506", ToolFormat::kMistralNamedId, ""},
      {"mistralai-Ministral-3-14B-Reasoning-2512", ToolFormat::kMistralNamed, "[THINK]"},
      {"ByteDance-Seed-OSS", ToolFormat::kGeneric, "<seed:think>"},
      {"Qwen3-Coder", ToolFormat::kGeneric, ""},
      {"google-gemma-2-2b-it", ToolFormat::kGeneric, ""}};
  if (recorded_path("models/templates/Qwen3-Coder.jinja").empty()) GTEST_SKIP() << "no templates";
  for (const TemplateCase& one : cases) {
    const OutputFormat format = format_of_template(
        file_text(recorded_path("models/templates/" + std::string(one.file) + ".jinja")));
    EXPECT_EQ(format.tools, one.tools) << one.file;
    EXPECT_EQ(format.reasoning.open, one.open) << one.file;
  }
}

}  // namespace
}  // namespace backplane::local

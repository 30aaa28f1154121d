// SPDX-License-Identifier: Apache-2.0
// Thoughts between tags: told from the answer, wherever the text is cut.
#include "common/reasoning_tags.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "call_rig.hpp"
#include "common/chunk_normalizer.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::event;
using Texts = std::vector<std::string>;

constexpr ReasoningTags kOff = ReasoningTags::kOff;
constexpr ReasoningTags kAuto = ReasoningTags::kAuto;
constexpr ReasoningTags kOpened = ReasoningTags::kOpened;

// The characters of JSON text: an escape is one.
Texts letters_of(const std::string& text) {
  Texts letters;
  for (std::size_t at = 0; at < text.size();) {
    const bool is_escape = text[at] == '\\';
    const std::size_t size = !is_escape ? 1 : text[at + 1] == 'u' ? 6 : 2;
    letters.push_back(text.substr(at, size));
    at += size;
  }
  return letters;
}

struct Case {
  const char* name;
  ReasoningTags tags;
  std::string text;
  std::string reasoning;
  std::string content;
};

const std::vector<Case>& cases() {
  static const std::string kSpaces(kHeldSpaceMaxBytes + 9, ' ');
  static const std::vector<Case> kCases = {
      {"tags", kAuto, R"(<think>\nHm.\n</think>\n\nHello)", "Hm.", "Hello"},
      {"other tags", kAuto, "[THINK]a[/THINK]b", "a", "b"},
      {"long ones", kAuto, "<|START_THINKING|>a<|END_THINKING|>b", "a", "b"},
      {"one that begins like another", kAuto, "<thinking>a</think></thinking>b", "a</think>", "b"},
      {"escaped tags", kAuto, R"(\u003cthink\u003eé \ud83d\ude00\u003c\/think\u003eb)",
       R"(é \ud83d\ude00)", "b"},
      {"space before them", kAuto, R"(\n <think>a</think>b)", "a", "b"},
      {"none", kAuto, "Hello <think>a</think>", "", "Hello <think>a</think>"},
      {"nothing but space", kAuto, R"( \n)", "", R"( \n)"},
      {"half a tag", kAuto, "<thin", "", "<thin"},
      {"another tag", kAuto, R"(\n<html>)", "", R"(\n<html>)"},
      {"no thoughts", kAuto, R"(<think>\n\n</think>\n\nb)", "", "b"},
      {"no end", kAuto, R"(<think>a \n)", "a", ""},
      {"half an end", kAuto, "<think>a</thin", "a</thin", ""},
      {"what looks like an end", kAuto, R"(<think>a <</th </</think>b</think>)", "a <</th </",
       "b</think>"},
      {"much space within", kAuto, "<think>a" + kSpaces + "b</think>c", "a" + kSpaces + "b", "c"},
      {"much space before", kAuto, kSpaces + "<think>a", "", kSpaces + "<think>a"},
      {"quotes", kAuto, R"(<think>\"a\\</think>\"b\")", R"(\"a\\)", R"(\"b\")"},
      {"opened by the prompt", kOpened, R"(\na</think>\n\nb)", "a", "b"},
      {"opened once more", kOpened, "<think>a</think>b", "a", "b"},
      {"opened and not ended", kOpened, "a <b", "a <b", ""},
      {"after much space", kOpened, kSpaces + "a</think>b", "a", "b"},
  };
  return kCases;
}

TEST(TagSplitter, TellsThoughtsFromTheAnswerWhereverItIsCut) {
  for (const Case& given : cases()) {
    const Texts letters = letters_of(given.text);
    for (std::size_t size = 1; size <= letters.size(); ++size) {
      TagSplitter splitter(given.tags);
      TagSplitter::Parts parts;
      for (std::size_t at = 0; at < letters.size(); at += size) {
        std::string piece;
        for (std::size_t i = at; i < std::min(at + size, letters.size()); ++i) piece += letters[i];
        parts.add(splitter.push(piece));
      }
      parts.add(splitter.finish());
      EXPECT_EQ(parts.reasoning, given.reasoning) << given.name << " by " << size;
      EXPECT_EQ(parts.content, given.content) << given.name << " by " << size;
    }
  }
}

TEST(TagSplitter, HoldsNoMoreThanItsBound) {
  TagSplitter splitter(kAuto);
  splitter.push("<think>a");
  std::size_t told = 0;
  const std::size_t count = 100 * kHeldSpaceMaxBytes;
  for (std::size_t i = 0; i < count; ++i) told += splitter.push("\\n").reasoning.size();
  EXPECT_GE(told + kHeldSpaceMaxBytes, 2 * count);
}

std::string of_delta(const std::string& delta, const std::string& reason = "null") {
  return R"({"id":"c","choices":[{"index":0,"delta":{)" + delta + R"(},"finish_reason":)" + reason +
         "}]}";
}
std::string of_second(const std::string& content) {
  return R"({"choices":[{"index":1,"delta":{"content":")" + content + "\"}}]}";
}

struct StreamCase {
  const char* name;
  ReasoningTags tags;
  Texts sent;
  Texts passed;
};

const std::vector<StreamCase>& stream_cases() {
  static const std::vector<StreamCase> kCases = {
      {"thoughts",
       kAuto,
       {of_delta(R"("role":"assistant","content":"")"), of_delta(R"("content":"<thi")"),
        of_delta(R"("content":"nk>\nH")"), of_delta(R"("content":"m.\n</think>\n")"),
        of_delta(R"("content":"\nSo")"), of_delta(R"("content":" <think>")"),
        of_delta("", R"("stop")")},
       {of_delta(R"("role":"assistant","content":"")"), of_delta(R"("content":"")"),
        of_delta(R"("reasoning_content":"H","content":"")"),
        of_delta(R"("reasoning_content":"m.","content":"")"), of_delta(R"("content":"So")"),
        of_delta(R"("content":" <think>")"), of_delta("", R"("stop")")}},
      {"all at once",
       kAuto,
       {of_delta(R"("content":"<think>a</think>b","reasoning_content":null)", R"("stop")")},
       {of_delta(R"("content":"b","reasoning_content":"a")", R"("stop")")}},
      {"held to the end",
       kAuto,
       {of_delta(R"("content":"<th")"), of_delta("", R"("stop")")},
       {of_delta(R"("content":"")"), of_delta(R"("content":"<th")", R"("stop")")}},
      {"held to an end without a delta",
       kAuto,
       {of_delta(R"("content":"<think>a</")"),
        R"({"choices":[{"index":0,"finish_reason":"length"}]})"},
       {of_delta(R"("reasoning_content":"a","content":"")"),
        R"({"choices":[{"index":0,"delta":{"reasoning_content":"</"},)"
        R"("finish_reason":"length"}]})"}},
      {"held to an end with a delta that is null",
       kAuto,
       {of_delta(R"("content":"<")"),
        R"({"choices":[{"index":0,"delta":null,"finish_reason":"length"}]})"},
       {of_delta(R"("content":"")"),
        R"({"choices":[{"index":0,"delta":{"content":"<"},"finish_reason":"length"}]})"}},
      {"held and then null",
       kAuto,
       {of_delta(R"("content":"<")"), of_delta(R"("content":null)", R"("stop")")},
       {of_delta(R"("content":"")"), of_delta(R"("content":"<")", R"("stop")")}},
      {"a server that tells them apart itself",
       kOpened,
       {of_delta(R"("content":"","reasoning_content":"a")"), of_delta(R"("content":"<think>b")")},
       {of_delta(R"("content":"","reasoning_content":"a")"), of_delta(R"("content":"<think>b")")}},
      {"and under its other name",
       kOpened,
       {of_delta(R"("reasoning":"a")"), of_delta(R"("content":"b")")},
       {of_delta(R"("reasoning_content":"a","reasoning":"a")"), of_delta(R"("content":"b")")}},
      {"two choices",
       kAuto,
       {of_delta(R"("content":"a")"), of_second("<think>b"), of_delta(R"("content":"<think>")"),
        of_second("c</think>d")},
       {of_delta(R"("content":"a")"),
        R"({"choices":[{"index":1,"delta":{"reasoning_content":"b","content":""}}]})",
        of_delta(R"("content":"<think>")"),
        R"({"choices":[{"index":1,"delta":{"reasoning_content":"c","content":"d"}}]})"}},
      {"not asked for",
       kOff,
       {of_delta(R"("content":"<think>a</think>b")")},
       {of_delta(R"("content":"<think>a</think>b")")}},
      {"what is no text",
       kAuto,
       {of_delta(R"("content":[{"type":"text","text":"<think>"}])"), of_delta(R"("content":5)")},
       {of_delta(R"("content":[{"type":"text","text":"<think>"}])"), of_delta(R"("content":5)")}},
  };
  return kCases;
}

TEST(ChunkNormalizer, SplitsWhatStandsBetweenTags) {
  for (const StreamCase& given : stream_cases()) {
    ChunkReader reader;
    ChunkNormalizer normalizer(given.tags);
    Texts passed;
    for (const std::string& document : given.sent) {
      const ChunkFacts facts = reader.read(document);
      std::string_view changed;
      if (normalizer.wants(facts)) {
        changed = normalizer.normalize(document, document.size(), facts);
      }
      passed.push_back(changed.empty() ? document : std::string(changed));
    }
    EXPECT_EQ(passed, given.passed) << given.name;
  }
}

// Once the answer has begun its chunks cost no parse, and those of others never do.
TEST(ChunkNormalizer, LooksForTagsOnlyWhereTheyMayBe) {
  const std::string document = of_delta(R"("content":"a")");
  ChunkReader reader;
  EXPECT_FALSE(ChunkNormalizer().wants(reader.read(document)));
  ChunkNormalizer normalizer(kAuto);
  EXPECT_TRUE(normalizer.wants(reader.read(document)));
  normalizer.normalize(document, document.size(), reader.read(document));
  EXPECT_FALSE(normalizer.wants(reader.read(document)));
  EXPECT_TRUE(normalizer.wants(reader.read(of_second("a"))));
}

TEST(DialectAnswers, WhatIsHeldBackComesWithTheEnd) {
  for (const bool says_done : {true, false}) {
    CallRig rig;
    rig.rules.stream.tags = kAuto;
    rig.open();
    rig.host.data(event(of_delta(R"("content":"<think>a <")")));
    if (says_done) rig.host.data(event("[DONE]"));
    rig.host.done();
    ASSERT_EQ(rig.sink.chunks.size(), 2U);
    EXPECT_EQ(rig.sink.chunks[1],
              R"({"object":"chat.completion.chunk","choices":[{"index":0,"delta":)"
              R"({"reasoning_content":" <"},"finish_reason":null}]})");
    EXPECT_EQ(rig.sink.events.back().substr(0, 3), says_done ? "end" : "err");
  }
}

TEST(DialectAnswers, AWholeAnswerIsSplit) {
  CallRig rig(0);
  rig.rules.stream.tags = kAuto;
  ASSERT_TRUE(rig.start());
  rig.host.head(200, testing::kJsonBody);
  rig.host.data(
      R"({"choices":[{"index":0,"message":{"role":"assistant",)"
      R"("content":"<think>\nH\n</think>\nb"},)"
      R"("finish_reason":"stop"},{"index":1,"message":{"content":"c"},"finish_reason":"stop"}]})");
  rig.host.done();
  EXPECT_EQ(rig.sink.body,
            R"({"choices":[{"index":0,"message":{"reasoning_content":"H","role":"assistant",)"
            R"("content":"b"},"finish_reason":"stop"},)"
            R"({"index":1,"message":{"content":"c"},"finish_reason":"stop"}]})");
}

}  // namespace
}  // namespace backplane::dialect

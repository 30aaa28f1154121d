// SPDX-License-Identifier: Apache-2.0
// Documents of every dialect, as they come and as they are passed on.
#include "common/chunk_normalizer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call_rig.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::event;
using Texts = std::vector<std::string>;

// One stream, chunk by chunk.
class Stream {
 public:
  std::string pass(const std::string& document) {
    const ChunkFacts facts = reader_.read(document);
    EXPECT_FALSE(facts.is_malformed) << document;
    if (!normalizer_.wants(facts)) return document;
    const std::string_view changed = normalizer_.normalize(document, document.size(), facts);
    return changed.empty() ? document : std::string(changed);
  }
  bool wants(const std::string& document) { return normalizer_.wants(reader_.read(document)); }

 private:
  ChunkReader reader_;
  ChunkNormalizer normalizer_;
};

std::string of_delta(const std::string& delta, const std::string& reason = "null") {
  return R"({"id":"c","choices":[{"index":0,"delta":{)" + delta + R"(},"finish_reason":)" + reason +
         "}]}";
}
std::string of_calls(const std::string& calls) {
  return of_delta(R"("tool_calls":[)" + calls + "]");
}

struct Case {
  const char* name;
  Texts sent;
  Texts passed;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"reasoning",
       {of_delta(R"("reasoning":"a \"b\"","content":"")")},
       {of_delta(R"("reasoning_content":"a \"b\"","reasoning":"a \"b\"","content":"")")}},
      {"reasoning with details",
       {of_delta(R"("reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}])")},
       {of_delta(R"("reasoning_content":"a","reasoning":"a",)"
                 R"("reasoning_details":[{"type":"reasoning.text","text":"a"}])")}},
      {"reasoning, and words that look like it",
       {of_delta(R"("content":"\"reasoning\":","reasoning":"\\\"}")"),
        of_delta(R"("role":"{","reasoning":"a")"), of_delta(R"("x":{"reasoning":"a"})"),
        R"({"choices":[{"delta": { "reasoning" : "a" }}]})"},
       {of_delta(R"("content":"\"reasoning\":","reasoning_content":"\\\"}","reasoning":"\\\"}")"),
        of_delta(R"("role":"{","reasoning_content":"a","reasoning":"a")"),
        of_delta(R"("x":{"reasoning":"a"})"),
        R"({"choices":[{"delta": { "reasoning_content":"a","reasoning" : "a" }}]})"}},
      {"reasoning beside a null",
       {of_delta(R"("reasoning_content":null,"reasoning":"a")")},
       {of_delta(R"("reasoning_content":"a","reasoning":"a")")}},
      {"an empty reason", {of_delta("", R"("")")}, {of_delta("", "null")}},
      {"eos", {of_delta("", R"("eos")")}, {of_delta("", R"("stop")")}},
      {"max_tokens", {of_delta("", R"("max_tokens")")}, {of_delta("", R"("length")")}},
      {"stop after tool calls",
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
        of_delta("", R"("stop")")},
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
        of_delta("", R"("tool_calls")")}},
      {"function_call without tool calls",
       {of_delta("", R"("function_call")")},
       {of_delta("", R"("function_call")")}},
      {"function_call after tool calls",
       {of_calls(R"({"id":"a","index":0})"), of_delta("", R"("function_call")")},
       {of_calls(R"({"id":"a","index":0})"), of_delta("", R"("tool_calls")")}},
      {"no index",
       {of_calls(R"({"id":"a","function":{"name":"f","arguments":"{"}})"),
        of_calls(R"({"function":{"arguments":"}"}})"),
        of_calls(R"({"id":"b","function":{"name":"g","arguments":""}})"),
        of_calls(R"({"function":{"arguments":"{}"}})")},
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}})"),
        of_calls(R"({"index":0,"function":{"arguments":"}"}})"),
        of_calls(R"({"index":1,"id":"b","function":{"name":"g","arguments":""}})"),
        of_calls(R"({"index":1,"function":{"arguments":"{}"}})")}},
      {"every index is 0",
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
        of_calls(R"({"index":0,"id":"b","function":{"name":"g","arguments":"{"}})"),
        of_calls(R"({"index":0,"function":{"arguments":"}"}})")},
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
        of_calls(R"({"index":1,"id":"b","function":{"name":"g","arguments":"{"}})"),
        of_calls(R"({"index":1,"function":{"arguments":"}"}})")}},
      {"id and name repeated",
       {of_calls(
            R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}})"),
        of_calls(
            R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"}"}})")},
       {of_calls(
            R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}})"),
        of_calls(R"({"index":0,"type":"function","function":{"arguments":"}"}})")}},
      {"arguments are an object",
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":{"x":"\"y\""}}})")},
       {of_calls(
           R"({"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\"\\\"y\\\"\"}"}})")}},
      {"an empty id later",
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":""}})"),
        of_calls(R"({"index":0,"id":"","function":{"arguments":"{}"}})")},
       {of_calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":""}})"),
        of_calls(R"({"index":0,"id":"","function":{"arguments":"{}"}})")}},
      {"usage in x_groq",
       {R"({"choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":1,"queue_time":0.5}}})"},
       {R"({"choices":[],"usage":{"prompt_tokens":1,"queue_time":0.5},)"
        R"("x_groq":{"id":"r","usage":{"prompt_tokens":1,"queue_time":0.5}}})"}},
      {"usage in both",
       {R"({"choices":[],"usage":{"prompt_tokens":2},"x_groq":{"usage":{"prompt_tokens":1}}})"},
       {R"({"choices":[],"usage":{"prompt_tokens":2},"x_groq":{"usage":{"prompt_tokens":1}}})"}},
      {"usage in x_groq beside a null",
       {R"({"x_groq":{"usage":{"prompt_tokens":1}},"usage":null})"},
       {R"({"x_groq":{"usage":{"prompt_tokens":1}},"usage":{"prompt_tokens":1}})"}},
      {"choices are null", {R"({"choices":null})"}, {R"({"choices":[]})"}},
      {"two choices",
       {R"({"choices":[{"index":1,"delta":{"tool_calls":[{"id":"a"}]}},)"
        R"({"index":0,"delta":{"reasoning":"r"},"finish_reason":""}]})"},
       {R"({"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"a"}]}},)"
        R"({"index":0,"delta":{"reasoning_content":"r","reasoning":"r"},"finish_reason":null}]})"}},
      {"whole",
       {R"({"choices":[{"finish_reason":"stop","message":{"reasoning":"r","tool_calls":)"
        R"([{"id":"a","function":{"name":"f","arguments":{}}},{"id":"b"}]}}]})"},
       {R"({"choices":[{"finish_reason":"tool_calls","message":{"reasoning_content":"r",)"
        R"("reasoning":"r","tool_calls":)"
        R"([{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b"}]}}]})"}},
  };
  return kCases;
}

TEST(ChunkNormalizer, MakesOneDialect) {
  for (const Case& given : cases()) {
    Stream stream;
    Texts passed;
    for (const std::string& document : given.sent) passed.push_back(stream.pass(document));
    EXPECT_EQ(passed, given.passed) << given.name;
  }
}

TEST(ChunkNormalizer, OfItsOwnDialectChangesNothing) {
  for (const Case& given : cases()) {
    Stream stream;
    for (const std::string& document : given.passed) {
      EXPECT_EQ(stream.pass(document), document) << given.name;
    }
  }
}

// What nearly every chunk is must not cost a parse.
TEST(ChunkNormalizer, IsNotAskedForWhatIsPlain) {
  Stream stream;
  stream.pass(of_calls(R"({"index":0,"id":"a","type":"function","function":{"name":"f"}})"));
  for (const std::string& document :
       {of_delta(R"("content":"a")"), of_delta(R"("content":"\"reasoning\":\"a\"")"),
        of_delta(R"("reasoning":null,"content":"a")"), of_delta(R"("reasoning":"")"),
        of_delta(R"("reasoning_content":"a")"),
        of_delta(R"("reasoning":"a","reasoning_content":"a")"),
        of_calls(R"({"index":0,"function":{"arguments":"{\"id\":1}"}})"),
        of_delta(R"("tool_calls":null)"), of_delta(R"("tool_calls":[ ])"),
        of_delta("", R"("length")"), std::string(R"({"choices":[],"usage":{"prompt_tokens":1}})"),
        std::string(R"({"x_groq":{"id":"r"},"choices":[]})")}) {
    EXPECT_FALSE(stream.wants(document)) << document;
  }
  EXPECT_FALSE(Stream().wants(of_delta("", R"("stop")")));
}

TEST(ChunkNormalizer, SurvivesWhatIsNotAChunk) {
  for (const std::string document :
       {R"({"choices":5,"x_groq":{"usage":{}}})", R"({"choices":[5,null,{"delta":7}]})",
        R"({"choices":[{"delta":{"reasoning":"r","tool_calls":[1,{"index":-1,"id":5},{}]}}]})",
        R"({"choices":[{"index":99999999999,"delta":{"tool_calls":[{"id":"a"}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":4000000000,"id":"a"}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"function":[]},{"function":{"arguments":[}}]}}]})",
        R"({"choices":[{"index":"fini":""}],"id":"b"}]},"finish_reason":"stop"}]})",
        R"({"choices":[{"delta":{"reasoning":"r")", "[]", "", "{"}) {
    ChunkNormalizer normalizer;
    normalizer.normalize(document, document.size());
  }
}

TEST(ChunkNormalizer, KeepsNoMoreCallsThanItsBound) {
  Stream stream;
  for (std::size_t i = 0; i < 2 * kToolCallsMax; ++i) {
    const std::string id = std::to_string(i);
    const std::string passed = stream.pass(of_calls(R"({"id":")" + id + "\"}"));
    EXPECT_EQ(passed.find("\"index\":" + id + ",\"id\"") != std::string::npos, i < kToolCallsMax);
  }
}

TEST(DialectAnswers, AStreamThatIsGivenUpFails) {
  for (const char* reason : {R"("abort")", R"("error")"}) {
    CallRig rig;
    rig.open();
    rig.host.data(event(of_delta(R"("content":"a")")) + event(of_delta("", reason)));
    EXPECT_EQ(rig.sink.chunks.size(), 2U);
    EXPECT_EQ(rig.sink.events.back(), "error 14 502");
  }
}

TEST(DialectAnswers, AWholeAnswerIsTranslatedOrFails) {
  const auto answer = [](const std::string& body) {
    CallRig rig(0);
    EXPECT_TRUE(rig.start());
    rig.host.head(200, testing::kJsonBody);
    rig.host.data(body);
    rig.host.done();
    return rig.sink.events.back() + ' ' + rig.sink.body;
  };
  EXPECT_EQ(answer("\n\n  "
                   R"({"choices":[{"message":{"reasoning":"r"},"finish_reason":"eos"}]})"),
            "end "
            R"({"choices":[{"message":{"reasoning_content":"r","reasoning":"r"},)"
            R"("finish_reason":"stop"}]})");
  EXPECT_EQ(answer(R"({"choices":[{"message":{},"finish_reason":"abort"}]})"), "error 14 502 ");
  EXPECT_EQ(answer(R"({"object":"error","message":"too long","code":400})"), "error 3 400 ");
  EXPECT_EQ(answer(R"({"detail":"no such thing","status":404})"), "error 5 404 ");
  EXPECT_EQ(answer(R"({"detail":"more","choices":[]})"), R"(end {"detail":"more","choices":[]})");
}

TEST(DialectAnswers, ErrorsInAStreamAreFoundInEveryShape) {
  for (const char* document :
       {R"({"error":{"message":"m","code":400}})", R"({"object":"error","message":"m","code":400})",
        R"({"error":{"message":"m","type":"BadRequestError","code":"400"},"status":400})",
        R"({"error":{"error":{"message":"m","code":400}}})"}) {
    CallRig rig;
    rig.open();
    rig.host.data(event(of_delta(R"("content":"a")")) + event(document));
    EXPECT_EQ(rig.sink.events.back(), "error 3 400") << document;
    EXPECT_STREQ(rig.sink.error.message, "m") << document;
  }
}

}  // namespace
}  // namespace backplane::dialect

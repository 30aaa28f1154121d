// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/answer_opener.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/sse_framer.hpp"
#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

using testing::Ends;
using testing::text_of;

// An answer under way: what the model sends, and what the client is given.
class Answer {
 public:
  explicit Answer(const Variant& variant = kVenice)
      : ends(variant), opener(std::move(ends.seal), "asked") {}

  // A document with `text` sealed as `field` of a choice.
  std::string sealed(std::string_view field, std::string_view text, std::uint64_t index = 0) {
    return document("delta", field, '"' + seal(true, field, text, index) + '"', index);
  }
  std::string seal(bool is_delta, std::string_view field, std::string_view text,
                   std::uint64_t index = 0) {
    return ends.answer({"asked", "answered", "chat-1", 0, index, is_delta, field}, text);
  }
  static std::string document(std::string_view owner, std::string_view field, std::string_view json,
                              std::uint64_t index = 0) {
    return choice("\"index\":" + std::to_string(index) + ",\"" + std::string(owner) + "\":{\"" +
                  std::string(field) + "\":" + std::string(json) + "},\"finish_reason\":null");
  }
  static std::string choice(std::string_view members) {
    return R"({"id":"chat-1","model":"answered","choices":[{)" + std::string(members) + "}]}";
  }
  std::string open(std::string_view document) {
    const Result<std::string_view> opened = opener.open(document);
    EXPECT_TRUE(opened) << opened.error().message << '\n' << document;
    return opened ? std::string(*opened) : std::string();
  }
  void expect_refused(std::string_view document, std::string_view why) {
    const Result<std::string_view> opened = opener.open(document);
    ASSERT_FALSE(opened) << document;
    EXPECT_EQ(opened.error().code, Code::kDataLoss);
    EXPECT_EQ(opened.error().http_status, 502U);
    EXPECT_NE(opened.error().message.find(why), std::string::npos)
        << opened.error().message << "\nexpected: " << why;
  }

  Ends ends;
  AnswerOpener opener;
};

constexpr std::string_view kStop =
    R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null})";

TEST(AnswerOpener, OpensEveryPieceOfAStream) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Answer answer(*variant);
    const std::string role =
        Answer::choice(R"("index":0,"delta":{"role":"assistant","content":""},"logprobs":null)");
    EXPECT_EQ(answer.open(role), role);
    EXPECT_EQ(answer.open(answer.sealed("reasoning_content", "Let me think")),
              Answer::document("delta", "reasoning_content", "\"Let me think\""));
    EXPECT_EQ(answer.open(answer.sealed("reasoning", "...")),
              Answer::document("delta", "reasoning", "\"...\""));
    EXPECT_EQ(answer.open(answer.sealed("content", "say \"4\"\n")),
              Answer::document("delta", "content", R"("say \"4\"\u000a")"));
    EXPECT_EQ(answer.open(answer.sealed("content", "")),
              Answer::document("delta", "content", R"("")"));
    EXPECT_FALSE(answer.opener.finish());
    EXPECT_EQ(answer.open(kStop), kStop);
    EXPECT_TRUE(answer.opener.finish());
    EXPECT_EQ(answer.open("[DONE]"), "[DONE]");
    EXPECT_TRUE(answer.opener.finish());
  }
}

TEST(AnswerOpener, OpensAWholeAnswer) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Answer answer(*variant);
    const auto body = [](std::string_view content, std::string_view reasoning) {
      return R"({"id":"chat-1","object":"chat.completion", "choices":[ {"message":{"role":)"
             R"("assistant","content":")" +
             std::string(content) + R"(","reasoning_content":")" + std::string(reasoning) +
             R"(","tool_calls":[],"refusal":null} ,"finish_reason":"stop","index":0}],)"
             R"("usage":{"total_tokens":18446744073709551615},"model":"answered"})";
    };
    EXPECT_EQ(answer.open(body(answer.seal(false, "content", "four"),
                               answer.seal(false, "reasoning_content", "two and two"))),
              body("four", "two and two"));
    EXPECT_TRUE(answer.opener.finish());
  }
}

TEST(AnswerOpener, OpensEachChoice) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Answer answer(*variant);
    EXPECT_EQ(answer.open(answer.sealed("content", "a", 0)),
              Answer::document("delta", "content", "\"a\"", 0));
    EXPECT_EQ(answer.open(answer.sealed("content", "b", 1)),
              Answer::document("delta", "content", "\"b\"", 1));
    answer.open(kStop);
    EXPECT_FALSE(answer.opener.finish()) << "a choice is open";
    answer.open(R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})");
    EXPECT_TRUE(answer.opener.finish());
  }
}

TEST(AnswerOpener, PassesWhatIsNoAnswer) {
  Answer answer;
  for (const std::string_view document :
       {R"({"choices":[],"usage":{"prompt_tokens":1}})", R"({"choices":null})",
        R"({"error":{"message":"overloaded"}})", R"({})",
        R"({"choices":[{"index":0,"delta":{"content":null,"tool_calls":null,"refusal":null}}]})",
        R"({"choices":[{"index":0,"finish_reason":"","stop_reason":2,"matched_stop":null}]})"}) {
    EXPECT_EQ(answer.open(document), document);
  }
}

TEST(AnswerOpener, PassesWhiteSpaceWhereItComesInTheClear) {
  for (const Variant* variant : variants()) {
    Answer answer(*variant);
    const std::string space = Answer::document("delta", "content", R"("\n\n ")");
    if (variant->traits.passes_space) {
      EXPECT_EQ(answer.open(space), space);
    } else {
      answer.expect_refused(space, "sealed text cannot be opened");
    }
  }
}

TEST(AnswerOpener, RefusesWhatIsNotSealed) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {Answer::document("delta", "content", "\"The answer\""), "not hexadecimal"},
      {Answer::document("delta", "content", "\"4\""), "not hexadecimal"},
      {Answer::document("delta", "content", "\"beef\""), "too short"},
      {Answer::document("delta", "c\\u006fntent", "\"The answer\""), "not hexadecimal"},
      {Answer::document("delta", "reasoning_content", "\"I think\""), "not hexadecimal"},
      {Answer::document("delta", "reasoning", "\"I think\""), "not hexadecimal"},
      {Answer::document("delta", "refusal", "\"I won't\""), "not hexadecimal"},
      {Answer::document("message", "content", "\"The answer\""), "not hexadecimal"},
      {Answer::document("delta", "content", R"([{"type":"text","text":"x"}])"),
       "choices.0.delta.content came in the clear"},
      {Answer::document("delta", "thinking", "\"I think\""), "choices.0.delta.thinking"},
      {Answer::document("delta", "tool_calls", R"([{"function":{"name":"f"}}])"),
       "choices.0.delta.tool_calls"},
      {Answer::document("delta", "audio", R"({"transcript":"x"})"),
       "choices.0.delta.audio.transcript"},
      {Answer::document("delta", "audio", R"({"data":"x"})"), "not hexadecimal"},
      {Answer::document("delta", "role", "\"The answer is 4\""), "choices.0.delta.role"},
      {Answer::choice(R"("index":0,"text":"The answer")"), "choices.0.text"},
      {Answer::choice(R"("index":0,"logprobs":{"content":[{"token":"The"}]})"),
       "choices.0.logprobs"},
      {Answer::choice(R"("index":0,"token_ids":[1,2])"), "choices.0.token_ids"},
      {Answer::choice(R"("index":0,"finish_reason":")" + std::string(65, 'x') + '"'),
       "choices.0.finish_reason"},
      {Answer::choice(R"("index":0,"finish_reason":["x"])"), "choices.0.finish_reason"},
      {Answer::choice(R"("index":0,"delta":"The answer")"), "choices.0.delta"},
      {Answer::choice(R"("index":"0")"), "choices.0.index is no number"},
      {Answer::choice(R"("index":128)"), "a choice is beyond the bound"},
      {Answer::choice(R"("index":-1)"), "choices.0.index is no number"},
      {R"({"choices":["The answer"]})", "choices.0 is no object"},
      {R"({"choices":"The answer"})", "choices is no array"},
      {R"({"choices":{"0":{"delta":{"content":"x"}}}})", "choices is no array"},
      {R"({"choices":[],"choices":[{"delta":{"content":"x"}}]})", "not hexadecimal"},
      {"The answer", "a document is no JSON object"},
      {"\"The answer\"", "a document is no JSON object"},
      {"[]", "a document is no JSON object"},
      {"", "a document is no JSON object"},
      {R"({"choices":[{"delta":{"content":"x"}}])", "a document is no JSON object"},
      {R"({"choices":[{"delta":{"content":"x"}}]} x)", "a document is no JSON object"},
      {R"({"a":)" + std::string(5000, '[') + std::string(5000, ']') + "}",
       "a document is no JSON object"},
      {"{\"id\":\"\xff\"}", "a document is no JSON object"},
      {"[DONE] ", "a document is no JSON object"},
  };
  for (const auto& [document, why] : cases) {
    Answer answer;
    answer.open(answer.sealed("content", "before"));
    answer.expect_refused(document, why);
    // And nothing comes out any more.
    answer.expect_refused(answer.sealed("content", "after"), why);
    answer.expect_refused(kStop, why);
    answer.expect_refused("[DONE]", why);
    EXPECT_FALSE(answer.opener.finish());
  }
}

// A plaintext beside a seal, in one document, keeps all of it back.
TEST(AnswerOpener, RefusesADocumentThatIsSealedInPart) {
  Answer answer;
  const std::string seal = answer.seal(true, "content", "sealed");
  answer.expect_refused(Answer::choice(R"("index":0,"delta":{"content":")" + seal +
                                       R"(","reasoning":"in the clear"})"),
                        "not hexadecimal");
  Answer twice;
  const std::string other = twice.seal(true, "content", "sealed");
  twice.expect_refused(Answer::choice(R"("index":0,"delta":{"content":")" + other +
                                      R"(","content":"in the clear"})"),
                       "not hexadecimal");
}

TEST(AnswerOpener, RefusesASealWithAnyByteChanged) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Answer probe(*variant);
    const std::string seal = probe.seal(true, "content", "four");
    const auto document = [](std::string_view text) {
      return Answer::document("delta", "content", '"' + std::string(text) + '"');
    };
    for (std::size_t at = 0; at < seal.size(); ++at) {
      std::string changed = seal;
      changed[at] = changed[at] == '0' ? '1' : '0';
      Answer(*variant).expect_refused(document(changed), "cannot be opened");
    }
    for (std::size_t size = 1; size < seal.size(); ++size) {
      Answer(*variant).expect_refused(document(seal.substr(0, size)), "cannot be opened");
    }
    EXPECT_EQ(Answer(*variant).open(document(seal)), document("four"));
  }
}

// Where the variant binds places, a seal that was moved is a seal that was changed.
TEST(AnswerOpener, RefusesASealOfAnotherPlace) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Answer answer(*variant);
    const std::string seal = answer.seal(true, "content", "four");
    const std::string moved = Answer::document("delta", "reasoning", '"' + seal + '"');
    if (variant->binding == Binding::kNone) {
      EXPECT_EQ(answer.open(moved), Answer::document("delta", "reasoning", "\"four\""));
    } else {
      answer.expect_refused(moved, "sealed for another key or place");
    }
  }
}

TEST(AnswerOpener, RefusesATextThatIsNone) {
  Answer answer;
  answer.expect_refused(answer.sealed("content", "\xff\xfe"), "a text is not UTF-8");
}

TEST(AnswerOpener, RefusesAHeadThatDeniesTheEncryption) {
  const auto head = [](std::string_view value) {
    return std::vector<bp_pair>{{str("content-type"), str("text/event-stream")},
                                {str("x-e2ee-applied"), str(value)}};
  };
  Answer answer(kDstackV2Ecdsa);
  EXPECT_TRUE(answer.opener.check_head({}));
  EXPECT_TRUE(answer.opener.check_head(head("true")));
  EXPECT_FALSE(answer.opener.check_head(head("false")));
  answer.expect_refused(kStop, "did not encrypt");
}

TEST(AnswerOpener, SaysThatAnAnswerWasCutOff) {
  Answer answer;
  EXPECT_FALSE(answer.opener.finish()) << "nothing came";
  answer.open(answer.sealed("content", "The"));
  const Status ended = answer.opener.finish();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kDataLoss);
}

// Recorded streams, each with what must come of it. Skipped where they are not at hand.
TEST(SealedStreams, GiveTheirTextOrFailClosed) {
  const auto folder = testing::kProviders / "vectors";
  if (!std::filesystem::exists(folder / "venice_streams_MANIFEST.json")) GTEST_SKIP();
  simdjson::dom::parser parser;
  simdjson::dom::array streams;
  ASSERT_EQ(parser.load((folder / "venice_streams_MANIFEST.json").string())["streams"].get(streams),
            simdjson::SUCCESS);
  std::size_t count = 0;
  for (const simdjson::dom::element stream : streams) {
    SCOPED_TRACE(text_of(stream, "file"));
    ++count;
    AnswerOpener opener(
        std::move(*CallSeal::make_with(
            kVenice, testing::public_hex(testing::key_pair(Curve::kSecp256k1, 9)),
            testing::key_pair(Curve::kSecp256k1, text_of(stream, "client_private")), {})),
        "asked");
    const std::string bytes = testing::read_file(folder / text_of(stream, "file"));
    dialect::SseFramer framer;
    framer.feed(bytes);
    std::string text;
    std::string reasoning;
    bool failed = false;
    while (const auto event = framer.next()) {
      const auto opened = opener.open(event->data);
      failed |= !opened;
      if (!opened || *opened == "[DONE]") continue;
      simdjson::dom::parser reader;
      const simdjson::dom::element document = reader.parse(std::string(*opened));
      const simdjson::dom::element delta = document.at_pointer("/choices/0/delta");
      text += text_of(delta, "content");
      reasoning += text_of(delta, "reasoning_content");
    }
    const simdjson::dom::element expect = stream["expect"];
    const std::string result = text_of(expect, "result");
    EXPECT_EQ(failed, result == "fail_closed");
    EXPECT_EQ(bool(opener.finish()), result == "ok");
    const std::string before = text_of(expect, "text_before_failure");
    if (!failed || !before.empty()) {
      EXPECT_EQ(text, failed ? before : text_of(expect, "text"));
    }
    EXPECT_EQ(reasoning, text_of(expect, "reasoning"));
  }
  EXPECT_GE(count, 12U);
}

}  // namespace
}  // namespace backplane::sealing

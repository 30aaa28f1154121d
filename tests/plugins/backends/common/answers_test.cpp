// SPDX-License-Identifier: Apache-2.0
// What responses of every kind become.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call_rig.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::event;
using testing::Headers;
using testing::kEventStream;
using testing::kJsonBody;
using Texts = std::vector<std::string>;

AnswerRules rules_of(Streams streams, bool may_be_bytes) {
  AnswerRules rules;
  rules.streams = streams;
  rules.may_be_bytes = may_be_bytes;
  rules.stream.completion = Completion::kTypes;
  return rules;
}
const AnswerRules kSpeech = rules_of(Streams::kWhenAnswered, true);
const AnswerRules kResponses = rules_of(Streams::kWhenAsked, false);
const AnswerRules kVariations = rules_of(Streams::kNever, false);

struct Case {
  const char* name;
  AnswerRules rules;
  std::uint32_t flags;
  Headers headers;
  std::string body;
  Texts events;
  std::string media_type;
};

const std::string kDelta = R"({"type":"response.output_text.delta","delta":"a"})";
const std::string kCompleted =
    R"({"type":"response.completed","response":{"object":"response","error":null,)"
    R"("usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":2},)"
    R"("output_tokens":7,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":12}}})";
const std::string kTranscribed =
    R"({"type":"transcript.text.done","text":"a","usage":{"type":"tokens","input_tokens":3,)"
    R"("output_tokens":4}})";

std::string named(const std::string& name, const std::string& document) {
  return "event: " + name + '\n' + event(document);
}

std::vector<Case> cases() {
  const Headers audio{{"content-type", "audio/mpeg"}};
  const std::string bytes("\xFF\xFB\0\r\n\x01", 6);
  const std::string completed = named("response.completed", kCompleted);
  const std::string delta = named("response.output_text.delta", kDelta);
  const std::string told = "chunk @response.output_text.delta " + kDelta;
  const std::string told_end = "chunk @response.completed " + kCompleted;
  std::string failed = kCompleted;
  failed.replace(failed.find("completed"), 9, "failed");
  return {
      {"bytes", kSpeech, 0, audio, bytes, {"body", "end"}, "audio/mpeg"},
      {"no bytes", kSpeech, 0, audio, "", {"body", "end"}, "audio/mpeg"},
      {"text", kSpeech, 0, {{"content-type", "text/plain"}}, "a", {"body", "end"}, "text/plain"},
      {"of no type", kSpeech, 0, {}, bytes, {"body", "end"}, "application/octet-stream"},
      {"of a type that is none",
       kSpeech,
       0,
       {{"content-type", "a\x01"}},
       bytes,
       {"body", "end"},
       "application/octet-stream"},
      {"compressed bytes",
       kSpeech,
       0,
       {{"content-type", "audio/mpeg"}, {"content-encoding", "gzip"}},
       bytes,
       {"error 13 502"},
       ""},
      {"compressed more than once",
       kResponses,
       BP_REQUEST_STREAM,
       {{"content-type", "text/event-stream"}, {"content-encoding", "identity, BR"}},
       completed,
       {"error 13 502"},
       ""},
      {"an encoding that is none",
       kSpeech,
       0,
       {{"content-type", "audio/mpeg"}, {"content-encoding", "utf-8"}},
       bytes,
       {"body", "end"},
       "audio/mpeg"},
      {"JSON where bytes may be",
       kSpeech,
       0,
       kJsonBody,
       R"({"text":"a","usage":{"input_tokens":3,"output_tokens":4}})",
       {"body", "usage 3 4", "end"},
       "application/json"},
      {"an error as JSON", kSpeech, 0, kJsonBody, R"({"error":{"code":400}})", {"error 3 400"}, ""},
      {"a stream without being asked",
       kSpeech,
       0,
       kEventStream,
       event(kTranscribed),
       {"chunk " + kTranscribed, "usage 3 4", "end"},
       ""},
      {"bytes where JSON must be", kResponses, 0, audio, bytes, {"error 13 502"}, ""},
      {"HTML where JSON must be",
       kVariations,
       0,
       {{"content-type", "text/html"}},
       "<html>",
       {"error 13 502"},
       ""},
      {"a stream that nobody asked for", kResponses, 0, kEventStream, delta, {"error 13 502"}, ""},
      {"named events",
       kResponses,
       BP_REQUEST_STREAM,
       kEventStream,
       delta + completed,
       {told, told_end, "usage 5 7", "end"},
       ""},
      {"a failure that is told",
       kResponses,
       BP_REQUEST_STREAM,
       kEventStream,
       delta + named("response.failed", failed),
       {told, "chunk @response.failed " + failed, "usage 5 7", "end"},
       ""},
      {"no last event",
       kResponses,
       BP_REQUEST_STREAM,
       kEventStream,
       delta,
       {told, "error 15 502"},
       ""},
      {"an error event",
       kResponses,
       BP_REQUEST_STREAM,
       kEventStream,
       delta + named("error", R"({"type":"error","message":"m","status":429})"),
       {told, "error 8 429"},
       ""},
      {"[DONE] all the same",
       kResponses,
       BP_REQUEST_STREAM,
       kEventStream,
       completed + event("[DONE]"),
       {told_end, "usage 5 7", "end"},
       ""},
      {"whole where a stream was asked for",
       kResponses,
       BP_REQUEST_STREAM,
       kJsonBody,
       "{}",
       {"error 13 502"},
       ""},
      {"a response that failed is an answer",
       kResponses,
       0,
       kJsonBody,
       R"({"error":{"code":"server_error"},"object":"response","usage":null})",
       {"body", "end"},
       "application/json"},
      {"an error is none",
       kResponses,
       0,
       kJsonBody,
       R"({"error":{"message":"m","type":"invalid_request_error"}})",
       {"error 3 400"},
       ""},
      {"only a total",
       kVariations,
       0,
       kJsonBody,
       R"({"results":[],"usage":{"total_tokens":9}})",
       {"body", "usage 9 0", "end"},
       "application/json"},
      {"no tokens in the usage",
       kSpeech,
       0,
       kJsonBody,
       R"({"text":"a","usage":{"type":"duration","seconds":3}})",
       {"body", "end"},
       "application/json"},
  };
}

// The pieces of a body in one.
Texts joined(const Texts& events) {
  Texts out;
  for (const std::string& text : events) {
    if (text != "body" || out.empty() || out.back() != "body") out.push_back(text);
  }
  return out;
}

TEST(Answers, ByTheirKindHoweverTheyAreSplit) {
  for (const Case& given : cases()) {
    for (const std::size_t piece : {std::size_t{1}, given.body.size() + 1}) {
      SCOPED_TRACE(std::string(given.name) + ", pieces of " + std::to_string(piece));
      CallRig rig(given.flags);
      rig.rules = given.rules;
      ASSERT_TRUE(rig.start());
      rig.host.head(200, given.headers);
      for (std::size_t at = 0; at < given.body.size() && rig.host.is_open(); at += piece) {
        rig.host.data(std::string_view(given.body).substr(at, piece));
      }
      if (rig.host.is_open()) rig.host.done();
      EXPECT_EQ(joined(rig.sink.events), given.events);
      EXPECT_EQ(rig.sink.media_type, given.media_type);
      EXPECT_EQ(rig.sink.body, given.media_type.empty() ? "" : given.body);
    }
  }
}

TEST(Answers, TellUsageInAllItsParts) {
  CallRig rig;
  rig.rules = kResponses;
  rig.open();
  rig.host.data(event(kCompleted));
  rig.host.done();
  EXPECT_EQ(rig.sink.usage.cached_prompt_tokens, 2U);
  EXPECT_EQ(rig.sink.usage.reasoning_tokens, 1U);
}

TEST(Answers, AStreamOfTypesIsOverWithItsLastDocument) {
  for (const std::string& last :
       {kCompleted, kTranscribed, std::string(R"({"type": "response.incomplete"})"),
        std::string(R"({"type":"response.failed"})"),
        std::string(R"({"type":"speech.audio.done"})"),
        std::string(R"({"b64_json":"x","type":"image_generation.completed"})"),
        std::string(R"({"type":"image_edit.completed"})")}) {
    CallRig rig;
    rig.rules = kResponses;
    rig.open();
    rig.host.data(event(last));
    EXPECT_FALSE(rig.sink.ended) << "more may come: " << last;
    rig.host.failed(BP_CODE_UNAVAILABLE, "the connection broke");
    EXPECT_EQ(rig.sink.events.back(), "end") << last;
  }
  for (const char* other :
       {R"({"type":"response.output_text.done"})", R"({"item":{"type":"response.completed"}})"}) {
    CallRig rig;
    rig.rules = kResponses;
    rig.open();
    rig.host.data(event(other));
    rig.host.done();
    EXPECT_EQ(rig.sink.events.back(), "error 15 502") << other;
  }
}

TEST(Answers, BytesPauseAndNothingIsHeld) {
  CallRig rig(0);
  rig.rules = kSpeech;
  rig.sink.answers = {{0, BP_FLOW_PAUSE}, {1, BP_FLOW_PAUSE}};
  ASSERT_TRUE(rig.start());
  rig.host.head(200, {{"content-type", "audio/mpeg"}});
  EXPECT_EQ(rig.host.data("ab"), BP_FLOW_PAUSE);
  EXPECT_EQ(rig.sink.body, "ab");
  rig.resume();
  EXPECT_EQ(rig.host.resume_count, 1);
  EXPECT_EQ(rig.host.data("cd"), BP_FLOW_PAUSE);
  rig.host.done();
  EXPECT_FALSE(rig.sink.ended);
  rig.resume();
  EXPECT_EQ(rig.sink.body, "abcd");
  EXPECT_EQ(rig.sink.events, (Texts{"body", "body", "end"}));
}

TEST(Answers, BytesThatAreCutAreAnError) {
  CallRig rig(0);
  rig.rules = kSpeech;
  ASSERT_TRUE(rig.start());
  rig.host.head(200, {{"content-type", "audio/mpeg"}});
  rig.host.data("ab");
  rig.host.failed(BP_CODE_DATA_LOSS, "the response ended early");
  EXPECT_EQ(rig.sink.events, (Texts{"body", "error 15 502"}));
}

TEST(Answers, AClientThatLeavesInTheMiddleOfBytesStopsThem) {
  CallRig rig(0);
  rig.rules = kSpeech;
  ASSERT_TRUE(rig.start());
  rig.host.head(200, {{"content-type", "audio/mpeg"}});
  rig.host.data("ab");
  rig.cancel();
  EXPECT_EQ(rig.host.cancel_count, 1);
  EXPECT_EQ(rig.sink.events, (Texts{"body", "error 1 0"}));
}

TEST(Answers, LargeDocumentsHaveABoundOfTheirOwn) {
  CallRig rig;
  rig.rules = kResponses;
  rig.rules.stream.event_max_bytes = 2 * kEventMaxBytes;
  rig.open();
  const std::string image = R"({"b64":")" + std::string(kEventMaxBytes, 'x') + R"("})";
  EXPECT_EQ(rig.host.data(event(image)), BP_FLOW_CONTINUE);
  EXPECT_EQ(rig.sink.chunks, Texts{image});
  EXPECT_EQ(rig.host.data("data: " + std::string(2 * kEventMaxBytes, 'x')), BP_FLOW_STOP);
  EXPECT_NE(std::string_view(rig.sink.error.message).find("2 MiB"), std::string_view::npos);
}

}  // namespace
}  // namespace backplane::dialect

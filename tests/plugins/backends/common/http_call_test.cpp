// SPDX-License-Identifier: Apache-2.0
// What one call makes of one response, when nothing pauses and nobody leaves.
#include "common/http_call.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call_rig.hpp"
#include "common/error_answer.hpp"
#include "common/whole_answer.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::delta;
using testing::event;
using testing::kEventStream;
using testing::kJsonBody;
using testing::kStop;
using testing::kUsage;
using Texts = std::vector<std::string>;

TEST(HttpCall, SendsOnePostWithTheBodyInPieces) {
  CallRig rig;
  rig.request.model = str("other");
  rig.request.model_offset = 9;
  rig.request.model_size = 3;
  rig.upstream.timeouts = {1, 2, 3, 0};
  ASSERT_TRUE(rig.start(true));
  ASSERT_EQ(rig.host.requests.size(), 1U);
  const testing::SentRequest& sent = rig.host.requests[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "http://secret.example/v1/chat/completions");
  EXPECT_EQ(sent.header("accept"), "text/event-stream");
  EXPECT_EQ(sent.text(),
            R"({"stream_options":{"include_usage":true},"model":"other","stream":true})");
  EXPECT_EQ(sent.raw.connect_timeout_ms, 1U);
  EXPECT_EQ(sent.raw.first_byte_timeout_ms, 2U);
  EXPECT_EQ(sent.raw.idle_timeout_ms, 3U);
  EXPECT_EQ(sent.raw.total_timeout_ms, 0U);
  EXPECT_TRUE(rig.sink.events.empty());
}

TEST(HttpCall, TakesTheSoonerOfDeadlineAndTotalTimeout) {
  struct Case {
    std::uint32_t total_ms;
    std::int64_t left_ns;
    std::uint32_t sent_ms;
  };
  for (const Case& given :
       {Case{0, 5'000'000, 5}, Case{0, 5'000'001, 6}, Case{3, 5'000'000, 3}, Case{9, 5'000'000, 5},
        Case{0, 1, 1}, Case{0, INT64_C(9'000'000'000'000'000), 0xFFFFFFFF}}) {
    CallRig rig;
    rig.upstream.timeouts.total_ms = given.total_ms;
    rig.request.deadline_ns = rig.host.monotonic_ns + given.left_ns;
    ASSERT_TRUE(rig.start());
    EXPECT_EQ(rig.host.requests[0].raw.total_timeout_ms, given.sent_ms) << given.left_ns;
  }
}

TEST(HttpCall, IsNotSentAfterItsDeadline) {
  CallRig rig;
  rig.request.deadline_ns = rig.host.monotonic_ns;
  const Status status = rig.start();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(rig.host.requests.empty());
  EXPECT_TRUE(rig.sink.events.empty());
}

TEST(HttpCall, FailsWithoutAnEventWhenItCannotBeSent) {
  CallRig rig;
  rig.host.refuses_requests = true;
  const Status status = rig.start();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kInternal);
  EXPECT_EQ(status.error().http_status, 502U);
  EXPECT_TRUE(rig.sink.events.empty());
}

struct StreamCase {
  const char* name;
  bool hide_usage;
  std::string stream;
  Texts events;
};

std::vector<StreamCase> stream_cases() {
  const std::string done = event("[DONE]");
  const std::string both =
      R"({"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})";
  const std::string early = R"({"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":1}})";
  const std::string failure = R"({"error":{"code":429,"message":"m"},"usage":{"prompt_tokens":9}})";
  return {
      {"whole",
       false,
       event(delta("a")) + event(kStop) + done,
       {"chunk " + delta("a"), "chunk " + kStop, "end"}},
      {"payloads stay as they came",
       false,
       "data:  {\"a\" : 1} \r\n\r\n" + done,
       {"chunk  {\"a\" : 1} ", "end"}},
      {"usage was asked for",
       false,
       event(kStop) + event(kUsage) + done,
       {"chunk " + kStop, "chunk " + kUsage, "usage 3 4", "end"}},
      {"usage was not asked for",
       true,
       event(kStop) + event(kUsage) + done,
       {"chunk " + kStop, "usage 3 4", "end"}},
      {"usage in a chunk with choices",
       true,
       event(both) + done,
       {"chunk " + both, "usage 1 0", "end"}},
      {"the last usage counts",
       true,
       event(early) + event(kStop) + event(kUsage) + done,
       {"chunk " + early, "chunk " + kStop, "usage 3 4", "end"}},
      {"a chunk without choices is no usage",
       true,
       event(R"({"choices":[]})") + done,
       {R"(chunk {"choices":[]})", "end"}},
      {"comments",
       false,
       ": keep-alive\n\n" + event(kStop) + ": x\n\n" + done,
       {"chunk " + kStop, "end"}},
      {"no [DONE], finished",
       false,
       event(delta("a")) + event(kStop),
       {"chunk " + delta("a"), "chunk " + kStop, "end"}},
      {"no [DONE], finished, usage",
       true,
       event(kStop) + event(kUsage),
       {"chunk " + kStop, "usage 3 4", "end"}},
      {"no [DONE], not finished",
       false,
       event(delta("a")),
       {"chunk " + delta("a"), "error 15 502"}},
      {"no [DONE], not finished, usage",
       true,
       event(early),
       {"chunk " + early, "usage 1 0", "error 15 502"}},
      {"nothing at all", false, "", {"error 15 502"}},
      {"last chunk without a blank line",
       false,
       event(delta("a")) + "data: " + kStop,
       {"chunk " + delta("a"), "chunk " + kStop, "end"}},
      {"[DONE] without a blank line",
       false,
       event(delta("a")) + "data: [DONE]",
       {"chunk " + delta("a"), "end"}},
      {"last chunk is cut", false, event(kStop) + "data: {\"a\":{}", {"chunk " + kStop, "end"}},
      {"bytes after [DONE]",
       false,
       event(kStop) + done + event(delta("late")),
       {"chunk " + kStop, "end"}},
      {"error",
       false,
       event(delta("a")) + event(failure) + done,
       {"chunk " + delta("a"), "usage 9 0", "error 8 429"}},
      {"error text", false, event(R"({"error":"m"})"), {"error 13 502"}},
      {"error event",
       false,
       "event: error\n" + event(R"({"message":"m","status_code":400})"),
       {"error 3 400"}},
      {"error after the finish",
       false,
       event(kStop) + event(R"({"error":{"code":400}})") + done,
       {"chunk " + kStop, "error 3 400"}},
      {"not JSON, and then as ever",
       false,
       event(delta("a")) + event("hello") + event(kStop) + done,
       {"chunk " + delta("a"), "chunk hello", "chunk " + kStop, "end"}},
      {"broken JSON",
       true,
       event(R"({"usage":{"prompt_tokens"}})") + event(kStop) + event(kUsage) + done,
       {R"(chunk {"usage":{"prompt_tokens"}})", "chunk " + kStop, "usage 3 4", "end"}},
      {"JSON, but no object", false, event("[1]") + done, {"chunk [1]", "end"}},
      {"bytes that are no text",
       false,
       event("\xFF\x01{") + event(kStop),
       {"chunk \xFF\x01{", "chunk " + kStop, "end"}},
      {"not JSON is no finish", false, event("hello"), {"chunk hello", "error 15 502"}},
      {"not JSON in an event that never ended",
       false,
       event(kStop) + "data: hel",
       {"chunk " + kStop, "end"}},
      {"no data", false, event("") + event(" ") + event(kStop) + done, {"chunk " + kStop, "end"}},
      {"a name", false, "event: x\n" + event(kStop) + done, {"chunk @x " + kStop, "end"}},
  };
}

TEST(HttpCall, MakesEventsOfAStreamHoweverItIsSplit) {
  for (const StreamCase& given : stream_cases()) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, given.stream.size() + 1}) {
      SCOPED_TRACE(std::string(given.name) + ", pieces of " + std::to_string(piece));
      CallRig rig;
      rig.open(given.hide_usage);
      for (std::size_t at = 0; at < given.stream.size() && rig.host.is_open(); at += piece) {
        rig.host.data(std::string_view(given.stream).substr(at, piece));
      }
      if (rig.host.is_open()) rig.host.done();
      EXPECT_EQ(rig.sink.events, given.events);
    }
  }
}

TEST(HttpCall, CountsWhatIsNotJsonAndLogsItOnce) {
  CallRig rig;
  rig.open();
  rig.host.data(event("a") + event(delta("a")) + event("b") + event(kStop) + event("[DONE]"));
  EXPECT_EQ(rig.host.counters["malformed"], 2);
  ASSERT_EQ(rig.host.log_lines.size(), 1U);
  EXPECT_NE(rig.host.log_lines[0].find("not JSON"), std::string::npos);
  EXPECT_EQ(rig.sink.closing, "[DONE]");
}

TEST(HttpCall, KeepsTheConnectionAfterTheEndAndDropsItAfterAnError) {
  CallRig rig;
  rig.open();
  EXPECT_EQ(rig.host.data(event(kStop) + event("[DONE]")), BP_FLOW_CONTINUE);
  EXPECT_TRUE(rig.sink.ended);
  EXPECT_EQ(rig.host.data("\n"), BP_FLOW_CONTINUE);
  EXPECT_EQ(rig.host.data(std::string(kTrailingMaxBytes, 'x')), BP_FLOW_STOP);

  CallRig failing;
  failing.open();
  EXPECT_EQ(failing.host.data(event(R"({"error":"m"})")), BP_FLOW_STOP);
}

TEST(HttpCall, BoundsAnEventOfAStream) {
  CallRig rig;
  rig.open();
  rig.host.data("data: ");
  const std::string block(64 << 10, 'x');
  for (int count = 0; count < 20 && rig.host.is_open(); ++count) rig.host.data(block);
  EXPECT_FALSE(rig.host.is_open());
  EXPECT_EQ(rig.sink.events, Texts{"error 13 502"});
}

struct BodyCase {
  const char* name;
  std::uint32_t status;
  testing::Headers headers;
  std::string body;
  Texts events;
  std::string text;
};

TEST(HttpCall, MakesOneBodyOfAWholeResponse) {
  const std::string answer = R"({"choices":[{"index":0}],"usage":{"prompt_tokens":3}})";
  const std::vector<BodyCase> cases = {
      {"whole", 200, kJsonBody, answer, {"body", "usage 3 0", "end"}, answer},
      {"no usage", 200, kJsonBody, R"({"data":[]})", {"body", "end"}, R"({"data":[]})"},
      {"blank lines around",
       200,
       kJsonBody,
       "\n\n" + answer + "\n",
       {"body", "usage 3 0", "end"},
       answer},
      {"no content type", 200, {}, answer, {"body", "usage 3 0", "end"}, answer},
      {"error in a 200",
       200,
       kJsonBody,
       R"({"error":{"code":400,"message":"m"}})",
       {"error 3 400"},
       ""},
      {"not JSON", 200, {{"content-type", "text/html"}}, "<html>", {"error 13 502"}, ""},
      {"an event stream", 200, kEventStream, event(answer), {"error 13 502"}, ""},
      {"broken JSON", 200, kJsonBody, R"({"usage":{"a"}})", {"error 13 502"}, ""},
      {"empty", 200, kJsonBody, "", {"error 13 502"}, ""},
      {"refused", 400, kJsonBody, R"({"error":{"message":"m"}})", {"error 3 400"}, ""},
      {"credentials", 401, kJsonBody, "{}", {"error 13 502"}, ""},
      {"redirect", 302, {{"location", "http://x"}}, "", {"error 13 502"}, ""},
      {"overloaded", 503, {}, "busy", {"error 14 503"}, ""},
  };
  for (const BodyCase& given : cases) {
    SCOPED_TRACE(given.name);
    CallRig rig(0);
    ASSERT_TRUE(rig.start());
    rig.host.head(given.status, given.headers);
    for (const char byte : given.body) rig.host.data({&byte, 1});
    rig.host.done();
    EXPECT_EQ(rig.sink.events, given.events);
    EXPECT_EQ(rig.sink.body, given.text);
    if (!given.text.empty()) {
      EXPECT_EQ(rig.sink.media_type, "application/json");
    }
  }
}

TEST(HttpCall, BoundsAWholeResponse) {
  CallRig rig(0);
  ASSERT_TRUE(rig.start());
  rig.host.head(200, kJsonBody);
  const std::string block(std::size_t{1} << 20, ' ');
  for (std::size_t size = 0; size < kBodyMaxBytes; size += block.size()) {
    ASSERT_EQ(rig.host.data(block), BP_FLOW_CONTINUE);
  }
  EXPECT_EQ(rig.host.data("x"), BP_FLOW_STOP);
  EXPECT_EQ(rig.sink.events, Texts{"error 13 502"});
}

TEST(HttpCall, ReadsOnlyTheBeginningOfAnErrorBody) {
  CallRig rig;
  ASSERT_TRUE(rig.start());
  rig.host.head(429, {{"retry-after-ms", "250"}});
  EXPECT_EQ(rig.host.data(std::string(kErrorBodyMaxBytes + 1, 'x')), BP_FLOW_STOP);
  EXPECT_EQ(rig.sink.events, Texts{"error 8 429"});
  EXPECT_EQ(rig.sink.error.retry_after_ms, 250U);
  EXPECT_STREQ(rig.sink.error.type, "RATE_LIMITED");
}

TEST(HttpCall, RefusesAnAnswerThatIsNotStreamed) {
  CallRig rig;
  ASSERT_TRUE(rig.start());
  rig.host.head(200, kJsonBody);
  rig.host.data(R"({"choices":[],"usage":{"prompt_tokens":3}})");
  rig.host.done();
  EXPECT_EQ(rig.sink.events, (Texts{"usage 3 0", "error 13 502"}));

  CallRig failing;
  ASSERT_TRUE(failing.start());
  failing.host.head(200, kJsonBody);
  failing.host.data(R"({"error":{"message":"m","code":429}})");
  failing.host.done();
  EXPECT_EQ(failing.sink.events, Texts{"error 8 429"});
}

TEST(HttpCall, LogsTheProvidersFailuresAndNotTheClients) {
  CallRig rig;
  ASSERT_TRUE(rig.start());
  rig.host.head(500, kJsonBody);
  rig.host.data(R"({"error":"stack trace of secret.example"})");
  rig.host.done();
  EXPECT_EQ(rig.host.log_lines, Texts{"the provider failed with status 500"});

  CallRig client;
  ASSERT_TRUE(client.start());
  client.host.head(400, kJsonBody);
  client.host.data(R"({"error":"your prompt was: hello"})");
  client.host.done();
  EXPECT_TRUE(client.host.log_lines.empty());
}

}  // namespace
}  // namespace backplane::dialect

// SPDX-License-Identifier: Apache-2.0
// Every operation: where it is sent, as what, and what may come back.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/plugins/backends/common/exchange.hpp"

namespace backplane {
namespace {

using testing::Exchange;
using Texts = std::vector<std::string>;

constexpr std::string_view kSettings = R"({"base_url":"https://h:1/v1//"})";
const std::string kFormType = "multipart/form-data; boundary=X";
const std::string kFormHead = "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
const std::string kForm = kFormHead + "public\r\n--X\r\n";

// The exchange carries the beginning of a form.
void give_form(Exchange& exchange) {
  exchange.request.content_type = str(kFormType);
  exchange.request.body.data = kForm.data();
  exchange.request.body.size = kForm.size();
  exchange.request.body.padding = 0;
  exchange.request.body.retain = nullptr;
  exchange.request.body.release = nullptr;
  exchange.request.model_offset = kFormHead.size();
  exchange.request.model_size = 6;
}

struct Case {
  std::string_view operation;
  std::string url;
  bool takes_form;
  bool may_be_bytes;
  bool may_stream;
};

const std::vector<Case>& cases() {
  static const std::string kBase = "https://h:1/v1";
  static const std::vector<Case> kCases = {
      {"chat.completions", kBase + "/chat/completions", false, false, true},
      {"completions", kBase + "/completions", false, false, true},
      {"responses", kBase + "/responses", false, false, true},
      {"embeddings", kBase + "/embeddings", false, false, false},
      {"rerank", kBase + "/rerank", false, false, false},
      {"moderations", kBase + "/moderations", false, false, false},
      {"images.generations", kBase + "/images/generations", false, false, true},
      {"images.edits", kBase + "/images/edits", true, false, true},
      {"images.variations", kBase + "/images/variations", true, false, false},
      {"audio.speech", kBase + "/audio/speech", false, true, true},
      {"audio.transcriptions", kBase + "/audio/transcriptions", true, true, true},
      {"audio.translations", kBase + "/audio/translations", true, true, true},
  };
  return kCases;
}

TEST(OpenAiOperations, AreSentToTheirPaths) {
  for (const Case& given : cases()) {
    SCOPED_TRACE(std::string(given.operation));
    Exchange exchange(kSettings, 0, given.operation);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK) << exchange.instance.error.message;
    EXPECT_EQ(exchange.sent().url, given.url);
    EXPECT_EQ(exchange.sent().method, "POST");
    EXPECT_EQ(exchange.sent().header("content-type"), "application/json");
    EXPECT_EQ(exchange.sent().text(), R"({"model":"theirs","stream":true,"messages":[]})");
  }
}

TEST(OpenAiOperations, FormsGoAsTheyCameButForTheModel) {
  for (const Case& given : cases()) {
    SCOPED_TRACE(std::string(given.operation));
    Exchange exchange(kSettings, BP_REQUEST_STREAM, given.operation);
    give_form(exchange);
    const bp_body_stream rest{sizeof(bp_body_stream),
                              0,
                              9,
                              nullptr,
                              [](void*, bp_str*, bp_task, void*) { return BP_READ_WAIT; },
                              [](void*) {}};
    exchange.request.body_stream = &rest;
    if (!given.takes_form) {
      EXPECT_EQ(exchange.submit(), BP_CODE_INVALID_ARGUMENT);
      continue;
    }
    ASSERT_EQ(exchange.submit(), BP_CODE_OK) << exchange.instance.error.message;
    EXPECT_EQ(exchange.sent().header("content-type"), kFormType);
    EXPECT_EQ(exchange.sent().header("accept"),
              given.operation == "images.variations" ? "application/json" : "*/*");
    EXPECT_EQ(exchange.sent().text(), kFormHead + "theirs\r\n--X\r\n");
    ASSERT_NE(exchange.sent().raw.body_stream, nullptr);
    EXPECT_EQ(exchange.sent().raw.body_stream->size, 9U);
  }
}

TEST(OpenAiOperations, OnlyJsonIsAnAnswerUnlessItMayBeBytes) {
  for (const Case& given : cases()) {
    SCOPED_TRACE(std::string(given.operation));
    Exchange exchange(kSettings, 0, given.operation);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    exchange.instance.host.head(200, {{"content-type", "text/plain"}});
    exchange.instance.host.data("hello");
    exchange.instance.host.done();
    EXPECT_EQ(exchange.sink.events,
              given.may_be_bytes ? (Texts{"body", "end"}) : (Texts{"error 13 502"}));
    EXPECT_EQ(exchange.sink.media_type, given.may_be_bytes ? "text/plain" : "");
  }
}

TEST(OpenAiOperations, StreamsAreOfTheirKind) {
  const std::string last = R"({"type":"image_generation.completed","usage":{"input_tokens":1}})";
  for (const Case& given : cases()) {
    SCOPED_TRACE(std::string(given.operation));
    Exchange exchange(kSettings, BP_REQUEST_STREAM | BP_REQUEST_USAGE, given.operation);
    if (given.takes_form) give_form(exchange);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    exchange.instance.host.head(200, {{"content-type", "text/event-stream"}});
    exchange.instance.host.data("event: x\ndata: " + last + "\n\n");
    exchange.instance.host.done();
    const bool is_chat = given.operation == "chat.completions" || given.operation == "completions";
    const Texts told{"chunk @x " + last, "usage 1 0", is_chat ? "error 15 502" : "end"};
    EXPECT_EQ(exchange.sink.events, given.may_stream ? told : (Texts{"error 13 502"}));
  }
}

TEST(OpenAiOperations, OnlyChatsAreAskedForTheirUsage) {
  for (const Case& given : cases()) {
    SCOPED_TRACE(std::string(given.operation));
    Exchange exchange(kSettings, BP_REQUEST_STREAM, given.operation);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    const bool is_chat = given.operation == "chat.completions" || given.operation == "completions";
    EXPECT_EQ(exchange.sent().text().find("include_usage") != std::string::npos, is_chat);
  }
}

TEST(OpenAiOperations, AreRateLimitedAlike) {
  for (const Case& given : cases()) {
    SCOPED_TRACE(std::string(given.operation));
    Exchange exchange(kSettings, 0, given.operation);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    exchange.instance.host.head(429, {{"retry-after", "2"}});
    exchange.instance.host.done();
    EXPECT_EQ(exchange.sink.events, Texts{"error 8 429"});
    EXPECT_EQ(exchange.sink.error.retry_after_ms, 2000U);
  }
}

}  // namespace
}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
// Calls through the tables of the built plugin, over a host of which the test is the network.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/plugins/backends/common/exchange.hpp"

namespace backplane {
namespace {

using testing::Exchange;
using testing::Headers;
using Texts = std::vector<std::string>;

TEST(OpenAi, NamesItself) {
  const bp_plugin& plugin = testing::tested_plugin();
  EXPECT_EQ(view(plugin.name), "openai");
  EXPECT_NE(view(plugin.schema).find("\"base_url\""), std::string_view::npos);
  EXPECT_EQ(plugin.get_interface(str("bp.transport/1")), nullptr);
}

TEST(OpenAi, NamesAnOperationItDoesNotServe) {
  for (const std::string_view operation : {"images", "", "chat"}) {
    Exchange exchange(R"({"base_url":"http://h/v1"})", 0, operation);
    EXPECT_EQ(exchange.submit(), BP_CODE_UNIMPLEMENTED);
    const std::string quoted = '"' + std::string(operation) + '"';
    EXPECT_NE(std::string_view(exchange.instance.error.message).find(quoted),
              std::string_view::npos);
    EXPECT_TRUE(exchange.instance.host.requests.empty());
    EXPECT_TRUE(exchange.sink.events.empty());
  }
}

TEST(OpenAi, BuildsTheHeadersFromZero) {
  Exchange exchange(R"({"base_url":"http://h/v1","api_key":"ref:key",)"
                    R"("headers":{"X-Title":"plain","x-org":"ref:org"}})",
                    BP_REQUEST_STREAM, "chat.completions",
                    {{"ref:key", " sk-1\n"}, {"ref:org", "org-1"}});
  std::vector<bp_pair> metadata = {{str("traceparent"), str("00-aa-bb-01")},
                                   {str("tracestate"), str("a=1,b=2")}};
  for (const char* name : {"authorization",
                           "proxy-authorization",
                           "x-api-key",
                           "api-key",
                           "cookie",
                           "x-payment",
                           "forwarded",
                           "x-forwarded-for",
                           "x-real-ip",
                           "host",
                           "connection",
                           "content-length",
                           "transfer-encoding",
                           "te",
                           "expect",
                           "accept",
                           "accept-encoding",
                           "content-encoding",
                           "content-type",
                           "user-agent",
                           "referer",
                           "origin",
                           "baggage",
                           "openai-organization",
                           "openai-project",
                           "openai-beta",
                           "idempotency-key",
                           "x-stainless-lang",
                           "x-request-id",
                           "x-any"}) {
    metadata.push_back({str(name), str("the client's")});
  }
  exchange.request.metadata = metadata.data();
  exchange.request.metadata_count = metadata.size();
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  Headers headers = exchange.sent().headers;
  std::sort(headers.begin(), headers.end());
  const Headers expected = {{"accept", "text/event-stream"},   {"accept-encoding", "identity"},
                            {"authorization", "Bearer sk-1"},  {"content-type", "application/json"},
                            {"traceparent", "00-aa-bb-01"},    {"tracestate", "a=1,b=2"},
                            {"user-agent", "backplane/0.1.0"}, {"x-org", "org-1"},
                            {"x-request-id", "request-1"},     {"x-title", "plain"}};
  EXPECT_EQ(headers, expected);
}

TEST(OpenAi, SendsNoHeaderThatCouldEndALine) {
  Exchange exchange(R"({"base_url":"http://h/v1"})");
  exchange.request.id = str("a\r\nx: y");
  const bp_pair metadata{str("traceparent"), str("a\nb")};
  exchange.request.metadata = &metadata;
  exchange.request.metadata_count = 1;
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  EXPECT_EQ(exchange.sent().header("x-request-id"), "<none>");
  EXPECT_EQ(exchange.sent().header("traceparent"), "<none>");
  EXPECT_EQ(exchange.sent().header("authorization"), "<none>");
  EXPECT_EQ(exchange.sent().header("accept"), "application/json");
}

TEST(OpenAi, AnExtraHeaderTakesThePlaceOfOurs) {
  Exchange exchange(R"({"base_url":"http://h/v1","headers":{"User-Agent":"mine"}})");
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  EXPECT_EQ(exchange.sent().header("user-agent"), "mine");
}

struct BodyCase {
  std::string_view settings;
  std::uint32_t flags;
  std::string_view sent;
};

TEST(OpenAi, AsksForTheUsageOfStreamsUnlessToldNotTo) {
  constexpr std::string_view kPlain = R"({"model":"theirs","stream":true,"messages":[]})";
  constexpr std::string_view kAsking =
      R"({"stream_options":{"include_usage":true},"model":"theirs","stream":true,"messages":[]})";
  constexpr std::string_view kOn = R"({"base_url":"http://h/v1"})";
  constexpr std::string_view kOff = R"({"base_url":"http://h/v1","stream_usage":false})";
  for (const BodyCase& given : {BodyCase{kOn, BP_REQUEST_STREAM, kAsking}, BodyCase{kOn, 0, kPlain},
                                BodyCase{kOn, BP_REQUEST_STREAM | BP_REQUEST_USAGE, kPlain},
                                BodyCase{kOff, BP_REQUEST_STREAM, kPlain}}) {
    Exchange exchange(given.settings, given.flags);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    EXPECT_EQ(exchange.sent().text(), given.sent) << given.flags;
  }
}

TEST(OpenAi, PassesTheUsageChunkOnOnlyToWhoAskedForIt) {
  const std::string usage = R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})";
  for (const bool asked : {false, true}) {
    Exchange exchange(R"({"base_url":"http://h/v1"})",
                      BP_REQUEST_STREAM | (asked ? BP_REQUEST_USAGE : 0U));
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    exchange.instance.host.head(200, {{"content-type", "text/event-stream"}});
    exchange.instance.host.data("data: " + usage + "\n\ndata: [DONE]\n\n");
    exchange.instance.host.done();
    EXPECT_EQ(exchange.sink.events,
              asked ? (Texts{"chunk " + usage, "usage 3 4", "end"}) : (Texts{"usage 3 4", "end"}));
  }
}

TEST(OpenAi, HidesItsKeyAndItsProviderInErrors) {
  Exchange exchange(R"({"base_url":"http://inner.example:81/v1","api_key":"ref"})", 0,
                    "chat.completions", {{"ref", "sk-very-secret"}});
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  exchange.instance.host.head(400, {});
  exchange.instance.host.data(
      R"({"error":{"message":"http://inner.example:81/x with sk-very-secret at INNER.example"}})");
  exchange.instance.host.done();
  EXPECT_EQ(exchange.sink.events, Texts{"error 3 400"});
  EXPECT_STREQ(exchange.sink.error.message, "http://[hidden]/x with [hidden] at [hidden]");
}

TEST(OpenAi, AnswersWithoutAStream) {
  Exchange exchange(R"({"base_url":"http://h/v1"})", 0, "embeddings");
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  exchange.instance.host.head(200, {{"content-type", "application/json"}});
  exchange.instance.host.data(R"({"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}})");
  exchange.instance.host.done();
  EXPECT_EQ(exchange.sink.events, (Texts{"body", "usage 8 0", "end"}));
}

TEST(OpenAi, RefusesABodyThatIsNoObject) {
  Exchange exchange(R"({"base_url":"http://h/v1"})");
  exchange.request.body.size = 0;
  EXPECT_EQ(exchange.submit(), BP_CODE_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
// Calls through the tables of the built plugin, over a host of which the test is the network.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "plugin_rig.hpp"

namespace backplane {
namespace {

using testing::Headers;
using testing::Instance;
using testing::RecordingSink;
using Texts = std::vector<std::string>;

constexpr std::string_view kBody = R"({"model":"public","stream":true,"messages":[]})";

// One request to one instance that has started.
class Exchange {
 public:
  explicit Exchange(std::string_view settings, std::uint32_t flags = 0,
                    std::string_view operation = "chat.completions",
                    const std::map<std::string, std::string>& secrets = {})
      : instance(settings), body_(make_buffer(std::string(kBody))) {
    instance.host.secrets = secrets;
    EXPECT_EQ(instance.create(), BP_CODE_OK) << instance.error.message;
    EXPECT_EQ(instance.start(), BP_CODE_OK) << instance.error.message;
    request.struct_size = sizeof(request);
    request.flags = flags;
    request.id = str("request-1");
    request.operation = str(operation);
    request.body = body_;
    request.model = str("theirs");
    request.model_offset = kBody.find("\"public\"");
    request.model_size = 8;
    request.loop = instance.host.loop();
  }
  ~Exchange() {
    if (call_ != nullptr) {
      if (!sink.ended) {
        call_->cancel(call_);
        instance.host.run();
      }
      call_->release(call_);
    }
    body_.release(body_.owner);
  }
  Exchange(const Exchange&) = delete;

  std::uint32_t submit() { return instance.submit(request, *sink.get(), &call_); }
  const testing::SentRequest& sent() { return instance.host.requests.at(0); }

  Instance instance;
  RecordingSink sink;
  bp_request request{};

 private:
  bp_buffer body_;
  bp_call* call_ = nullptr;
};

TEST(OpenAi, NamesItself) {
  const bp_plugin& plugin = testing::openai_plugin();
  EXPECT_EQ(view(plugin.name), "openai");
  EXPECT_NE(view(plugin.schema).find("\"base_url\""), std::string_view::npos);
  EXPECT_EQ(plugin.get_interface(str("bp.transport/1")), nullptr);
}

TEST(OpenAi, SendsEveryOperationToItsPath) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"chat.completions", "https://h:1/v1/chat/completions"},
      {"completions", "https://h:1/v1/completions"},
      {"embeddings", "https://h:1/v1/embeddings"},
  };
  for (const auto& [operation, url] : cases) {
    Exchange exchange(R"({"base_url":"https://h:1/v1//"})", 0, operation);
    ASSERT_EQ(exchange.submit(), BP_CODE_OK);
    EXPECT_EQ(exchange.sent().url, url);
    EXPECT_EQ(exchange.sent().method, "POST");
  }
}

TEST(OpenAi, NamesAnOperationItDoesNotServe) {
  for (const std::string_view operation : {"images.generations", "", "chat"}) {
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
  const std::vector<bp_pair> metadata = {{str("traceparent"), str("00-aa-bb-01")},
                                         {str("tracestate"), str("a=1,b=2")},
                                         {str("cookie"), str("secret")},
                                         {str("x-forwarded-for"), str("10.0.0.1")}};
  exchange.request.metadata = metadata.data();
  exchange.request.metadata_count = metadata.size();
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  Headers headers = exchange.sent().headers;
  std::sort(headers.begin(), headers.end());
  const Headers expected = {{"accept", "text/event-stream"},
                            {"authorization", "Bearer sk-1"},
                            {"content-type", "application/json"},
                            {"traceparent", "00-aa-bb-01"},
                            {"tracestate", "a=1,b=2"},
                            {"user-agent", "backplane/0.1.0"},
                            {"x-org", "org-1"},
                            {"x-request-id", "request-1"},
                            {"x-title", "plain"}};
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

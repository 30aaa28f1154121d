// SPDX-License-Identifier: Apache-2.0
// The plugin is the dialect under Groq's profile; what a profile does is tested beside `openai`.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/plugins/backends/common/exchange.hpp"

namespace backplane {
namespace {

using testing::Exchange;
using Texts = std::vector<std::string>;

constexpr std::string_view kSettings = R"({"api_key":"ref","models_refresh_seconds":0})";

TEST(Groq, CallsGroqUnderItsProfile) {
  EXPECT_EQ(view(testing::tested_plugin().name), "groq");
  Exchange exchange(kSettings, BP_REQUEST_STREAM, "chat.completions", {{"ref", "gsk-1"}});
  exchange.request.model = str("llama-3.3-70b-instruct");
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  EXPECT_EQ(exchange.sent().url, "https://api.groq.com/openai/v1/chat/completions");
  EXPECT_EQ(exchange.sent().header("authorization"), "Bearer gsk-1");
  EXPECT_EQ(exchange.sent().text(),
            R"({"model":"llama-3.3-70b-versatile","stream":true,"messages":[]})");
}

TEST(Groq, OffersWhatGroqOffers) {
  for (const auto& [operation, code] : std::vector<std::pair<std::string_view, std::uint32_t>>{
           {"chat.completions", BP_CODE_OK},
           {"audio.transcriptions", BP_CODE_OK},
           {"audio.speech", BP_CODE_OK},
           {"rerank", BP_CODE_UNIMPLEMENTED},
           {"images.generations", BP_CODE_UNIMPLEMENTED}}) {
    Exchange exchange(kSettings, 0, operation, {{"ref", "gsk-1"}});
    EXPECT_EQ(exchange.submit(), code) << operation;
  }
}

TEST(Groq, MakesAnAnswerLikeAnyOther) {
  Exchange exchange(kSettings, BP_REQUEST_STREAM, "chat.completions", {{"ref", "gsk-1"}});
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  testing::FakeHost& host = exchange.instance.host;
  host.head(200, {{"content-type", "text/event-stream"},
                  {"x-groq-region", "fra"},
                  {"x-ratelimit-limit-requests", "14400"},
                  {"x-ratelimit-remaining-requests", "14399"},
                  {"x-ratelimit-reset-requests", "2m59.56s"}});
  host.data(
      "data: "
      R"({"choices":[{"index":0,"delta":{"reasoning":"r"},"finish_reason":null}]})"
      "\n\n");
  host.data(
      "data: "
      R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{)"
      R"("id":"req","usage":{"prompt_tokens":18,"completion_tokens":73,"queue_time":0.1}}})"
      "\n\ndata: [DONE]\n\n");
  host.done();
  EXPECT_EQ(
      exchange.sink.events,
      (Texts{"head x-groq-region: fra",
             "chunk "
             R"({"choices":[{"index":0,"delta":{"reasoning_content":"r","reasoning":"r"},)"
             R"("finish_reason":null}]})",
             "chunk "
             R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{)"
             R"("prompt_tokens":18,"completion_tokens":73,"queue_time":0.1},"x_groq":{"id":"req",)"
             R"("usage":{"prompt_tokens":18,"completion_tokens":73,"queue_time":0.1}}})",
             "usage 18 73", "end"}));
  EXPECT_EQ(exchange.sink.rate_limit.requests_reset_ms, 179560U);
}

TEST(Groq, NeedsItsKeyAtItsOwnAddress) {
  testing::Instance instance("{}");
  ASSERT_EQ(instance.create(), BP_CODE_OK);
  EXPECT_EQ(instance.start(), BP_CODE_INVALID_ARGUMENT);
  testing::Instance elsewhere(R"({"base_url":"http://h/v1"})");
  ASSERT_EQ(elsewhere.create(), BP_CODE_OK);
  EXPECT_EQ(elsewhere.start(), BP_CODE_OK);
}

}  // namespace
}  // namespace backplane

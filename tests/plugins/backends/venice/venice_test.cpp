// SPDX-License-Identifier: Apache-2.0
// The plugin is the dialect under Venice's profile, and Venice's own parameters.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/plugins/backends/common/exchange.hpp"

namespace backplane {
namespace {

using testing::Exchange;
using Texts = std::vector<std::string>;

const std::string kSettings =
    R"({"api_key":"ref","models_refresh_seconds":0,"venice_parameters":)"
    R"({"include_venice_system_prompt":false,"enable_web_search":"auto"}})";

std::string sent(const std::string& body, std::string_view model,
                 std::string_view operation = "chat.completions") {
  Exchange exchange(kSettings, 0, operation, {{"ref", "key"}});
  exchange.request.body = {body.data(), body.size(), BP_MEMORY_HOST, 0, nullptr, nullptr, nullptr};
  exchange.request.model = str(model);
  exchange.request.model_size = 0;
  EXPECT_EQ(exchange.submit(), BP_CODE_OK) << exchange.instance.error.message;
  return exchange.sent().url + ' ' + exchange.sent().text();
}

TEST(Venice, SendsItsParametersWhereTheClientSaysNothing) {
  EXPECT_EQ(view(testing::tested_plugin().name), "venice");
  const std::string chat = "https://api.venice.ai/api/v1/chat/completions ";
  EXPECT_EQ(sent(R"({"stop":"x"})", "m"),
            chat + R"({"model":"m","venice_parameters":{"include_venice_system_prompt":false,)"
                   R"("enable_web_search":"auto"},"stop":"x"})");
  EXPECT_EQ(sent(R"({"venice_parameters":{"enable_web_search":"on","character_slug":"c"}})", "m"),
            chat + R"({"model":"m","venice_parameters":{"include_venice_system_prompt":false,)"
                   R"("enable_web_search":"on","character_slug":"c"}})");
  EXPECT_EQ(sent("{}", "m", "embeddings"),
            R"(https://api.venice.ai/api/v1/embeddings {"model":"m"})");
}

TEST(Venice, KeepsTheParametersOfAModelsName) {
  Exchange exchange(R"({"api_key":"ref","models_refresh_seconds":0})", 0, "chat.completions",
                    {{"ref", "key"}});
  exchange.request.model = str("llama-3.3-70b-instruct:enable_web_search=on&character_slug=a:b");
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  EXPECT_EQ(exchange.sent().text(),
            R"({"model":"llama-3.3-70b:enable_web_search=on&character_slug=a:b",)"
            R"("stream":true,"messages":[]})");
}

TEST(Venice, MakesOneImageAtATime) {
  Exchange exchange(kSettings, 0, "images.generations", {{"ref", "key"}});
  const std::string body = R"({"prompt":"p","n":2})";
  exchange.request.body = {body.data(), body.size(), BP_MEMORY_HOST, 0, nullptr, nullptr, nullptr};
  exchange.request.model_size = 0;
  EXPECT_EQ(exchange.submit(), BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(std::string_view(exchange.instance.error.message).substr(0, 3), "n: ");
}

const std::string kSealable =
    R"({"model":"e2ee-m","stream":true,"messages":[{"role":"user","content":"a secret"}]})";

// Submits it to a model with that name. The request is a chat unless another operation is given.
std::uint32_t submit(Exchange& exchange, const std::string& body, std::string_view model,
                     std::string_view operation = "chat.completions") {
  exchange.request.operation = str(operation);
  exchange.request.body = {body.data(), body.size(), BP_MEMORY_HOST, 0, nullptr, nullptr, nullptr};
  exchange.request.model = str(model);
  exchange.request.model_size = 0;
  return exchange.submit();
}

std::string seal_settings(std::string_view mode) {
  return R"({"api_key":"ref","models_refresh_seconds":0,"e2ee":")" + std::string(mode) + "\"}";
}

TEST(Venice, AsksAModelToProveItsKeyBeforeAnythingIsSent) {
  for (const auto& [mode, model] : {std::pair{"auto", "e2ee-m"}, std::pair{"required", "m"}}) {
    Exchange exchange(seal_settings(mode), BP_REQUEST_STREAM, "chat.completions", {{"ref", "key"}});
    ASSERT_EQ(submit(exchange, kSealable, model), BP_CODE_OK) << exchange.instance.error.message;
    EXPECT_EQ(exchange.sent().method, "GET");
    const std::string url =
        "https://api.venice.ai/api/v1/tee/attestation?model=" + std::string(model) + "&nonce=";
    EXPECT_EQ(exchange.sent().url.substr(0, url.size()), url);
    EXPECT_EQ(exchange.sent().header("authorization"), "Bearer key");
    exchange.instance.host.head(200, {});
    exchange.instance.host.data(R"({"verified":true})");
    exchange.instance.host.done();
    EXPECT_EQ(exchange.sink.events, (Texts{"error 7 502"}));
    EXPECT_EQ(exchange.instance.host.requests.size(), 1U);
  }
}

TEST(Venice, SealsNothingElse) {
  for (const auto& [mode, model] : {std::pair{"auto", "m"}, std::pair{"off", "e2ee-m"}}) {
    Exchange exchange(seal_settings(mode), BP_REQUEST_STREAM, "chat.completions", {{"ref", "key"}});
    ASSERT_EQ(submit(exchange, kSealable, model), BP_CODE_OK);
    EXPECT_EQ(exchange.sent().method, "POST");
    EXPECT_NE(exchange.sent().text().find("a secret"), std::string::npos);
  }
}

TEST(Venice, RefusesWhatItCannotSeal) {
  const std::string tools = R"({"stream":true,"messages":[{"content":"x"}],"tools":[{"x":1}]})";
  const std::string whole = R"({"messages":[{"content":"x"}]})";
  struct Case {
    std::string_view mode, model, operation;
    const std::string& body;
    std::string_view message;
  };
  for (const Case& refused :
       {Case{"auto", "e2ee-m", "chat.completions", tools, "tools: "},
        Case{"required", "m", "chat.completions", whole, "stream: "},
        Case{"auto", "e2ee-m:enable_e2ee=false", "chat.completions", kSealable, "model: "},
        Case{"auto", "e2ee-m", "responses", kSealable, "end-to-end encryption (venice) covers"},
        Case{"required", "m", "embeddings", kSealable, "end-to-end encryption (venice) covers"}}) {
    Exchange exchange(seal_settings(refused.mode), BP_REQUEST_STREAM, refused.operation,
                      {{"ref", "key"}});
    EXPECT_EQ(submit(exchange, refused.body, refused.model, refused.operation),
              BP_CODE_INVALID_ARGUMENT);
    EXPECT_EQ(std::string_view(exchange.instance.error.message).substr(0, refused.message.size()),
              refused.message);
    EXPECT_TRUE(exchange.instance.host.requests.empty());
  }
}

TEST(Venice, RefusesSettingsThatAreNone) {
  for (const std::string_view settings :
       {R"({"api_key":"ref","e2ee":"yes"})", R"({"api_key":"ref","e2ee":true})",
        R"({"api_key":"ref","attestation":{"measurements":{"mr_td":[]}}})",
        R"({"api_key":"ref","attestation":{"measurements":{"mr_td":[1]}}})"}) {
    testing::Instance instance(settings);
    EXPECT_EQ(instance.create(), BP_CODE_INVALID_ARGUMENT) << settings;
  }
}

TEST(Venice, ReadsItsErrorsAndItsMixedLimits) {
  Exchange exchange(kSettings, 0, "chat.completions", {{"ref", "key"}});
  exchange.instance.host.unix_ns = 1'700'000'000'000'000'000;
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  exchange.instance.host.head(429, {{"x-ratelimit-limit-requests", "50"},
                                    {"x-ratelimit-remaining-requests", "0"},
                                    {"x-ratelimit-reset-requests", "1700000020"},
                                    {"x-ratelimit-remaining-tokens", "7"},
                                    {"x-ratelimit-reset-tokens", "30"}});
  exchange.instance.host.data(R"({"error":"Rate limit exceeded","code":"RATE_LIMIT_EXCEEDED"})");
  exchange.instance.host.done();
  EXPECT_EQ(exchange.sink.events, (Texts{"error 8 429"}));
  EXPECT_EQ(exchange.sink.error.retry_after_ms, 20000U);
  EXPECT_EQ(exchange.sink.rate_limit.requests_remaining, 0U);
  EXPECT_EQ(exchange.sink.rate_limit.tokens_reset_ms, 30000U);
}

TEST(Venice, TellsContextPricesAndPrivacyOfItsModels) {
  Exchange exchange(R"({"api_key":"ref"})", 0, "chat.completions", {{"ref", "key"}});
  testing::FakeHost& host = exchange.instance.host;
  host.run();
  host.head(200, {});
  host.data(R"({"data":[{"id":"llama-3.3-70b","model_spec":{"availableContextTokens":65536,)"
            R"("privacy":"private","pricing":{"input":{"usd":0.7},"output":{"usd":2.8}}}}]})");
  host.done();
  const std::string facts =
      R"("context_length":65536,"prices":{"input":0.7,"output":2.8},"privacy":"private"})";
  const std::string described = exchange.instance.describe();
  EXPECT_EQ(described.substr(0, described.find(']') + 1),
            R"({"models":[{"id":"llama-3.3-70b",)" + facts + R"(,{"id":"llama-3.3-70b-instruct",)" +
                facts + ']');
}

}  // namespace
}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
#include "common/upstream_error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {
namespace {

const Scrubber& scrubber() {
  static const Scrubber kScrubber("https://API.internal.example:8443/v1",
                                  {"sk-secret-key", "abc", "header-secret"});
  return kScrubber;
}

struct StatusCase {
  std::uint32_t status;
  Code code;
  std::uint32_t http_status;
  std::string_view type;
  bool shows_message;
  std::uint64_t retry_after_ms;
};

TEST(UpstreamError, MapsEveryStatus) {
  constexpr std::string_view kType = "UPSTREAM_ERROR";
  const std::vector<StatusCase> cases = {
      {300, Code::kInternal, 502, kType, false, 0},
      {302, Code::kInternal, 502, kType, false, 0},
      {400, Code::kInvalidArgument, 400, "", true, 0},
      {401, Code::kInternal, 502, "UPSTREAM_AUTH", false, 0},
      {402, Code::kUnavailable, 502, "UPSTREAM_QUOTA", false, 0},
      {403, Code::kInternal, 502, "UPSTREAM_AUTH", false, 0},
      {404, Code::kNotFound, 404, "", true, 0},
      {405, Code::kInternal, 502, kType, false, 1500},
      {408, Code::kUnavailable, 504, kType, false, 0},
      {410, Code::kNotFound, 404, "", true, 0},
      {413, Code::kInvalidArgument, 413, "", true, 0},
      {422, Code::kInvalidArgument, 422, "", true, 0},
      {429, Code::kResourceExhausted, 429, "RATE_LIMITED", false, 1500},
      {498, Code::kUnavailable, 503, kType, false, 1500},
      {500, Code::kInternal, 502, kType, false, 1500},
      {502, Code::kInternal, 502, kType, false, 1500},
      {503, Code::kUnavailable, 503, kType, false, 1500},
      {504, Code::kUnavailable, 504, kType, false, 0},
      {524, Code::kUnavailable, 504, kType, false, 0},
      {529, Code::kUnavailable, 503, kType, false, 1500},
  };
  for (const StatusCase& given : cases) {
    const Error error = upstream_error(
        given.status, R"({"error":{"message":"words of the provider"}})", 1500, scrubber());
    EXPECT_EQ(error.code, given.code) << given.status;
    EXPECT_EQ(error.http_status, given.http_status) << given.status;
    EXPECT_EQ(error.type, given.type) << given.status;
    EXPECT_EQ(error.retry_after_ms, given.retry_after_ms) << given.status;
    EXPECT_EQ(error.message == "words of the provider", given.shows_message) << given.status;
    EXPECT_FALSE(error.message.empty()) << given.status;
  }
}

TEST(UpstreamError, FindsTheMessageInEveryShape) {
  constexpr std::string_view kRefused = "the provider refused the request";
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {R"({"error":{"message":"m","type":"t","param":null,"code":"c"}})", "m"},
      {R"({"error":{"message":"m","code":400}})", "m"},
      {R"({"error":"m"})", "m"},
      {R"({"error":"m","details":{"a":1}})", "m"},
      {R"({"code":"PAYLOAD_TOO_LARGE","error":"m"})", "m"},
      {R"({"object":"error","message":"m","type":"BadRequestError","param":null,"code":400})", "m"},
      {R"({"detail":"m"})", "m"},
      {R"({"detail":{"error":"m"}})", "m"},
      {R"({"detail":[{"loc":["body"],"msg":"m","type":"missing"}]})", "m"},
      {R"({"error":{"code":400}})", kRefused},
      {R"({"error":null})", kRefused},
      {R"([{"error":"m"}])", kRefused},
      {"<html><body>nginx at 10.0.0.1</body></html>", kRefused},
      {R"({"error":{"message":"cut)", kRefused},
      {"", kRefused},
  };
  for (const auto& [body, message] : cases) {
    EXPECT_EQ(upstream_error(400, body, 0, scrubber()).message, message) << body;
  }
}

struct KindCase {
  std::uint32_t status;
  std::string_view body;
  Code code;
  std::uint32_t http_status;
  std::string_view type;
};

TEST(UpstreamError, KnowsWhatProvidersCallTheirTroubles) {
  const std::vector<KindCase> cases = {
      {400, R"({"error":{"message":"m","code":"context_length_exceeded"}})", Code::kInvalidArgument,
       400, "CONTEXT_LENGTH_EXCEEDED"},
      {400, R"({"error":{"code":400,"message":"m","type":"exceed_context_size_error","n_ctx":9}})",
       Code::kInvalidArgument, 400, "CONTEXT_LENGTH_EXCEEDED"},
      {400, R"({"error":"m","code":"TOO_MANY_TOKENS"})", Code::kInvalidArgument, 400,
       "CONTEXT_LENGTH_EXCEEDED"},
      {400,
       R"({"object":"error","message":"This model's maximum context length is 4096 tokens.",)"
       R"("type":"BadRequestError","param":null,"code":400})",
       Code::kInvalidArgument, 400, "CONTEXT_LENGTH_EXCEEDED"},
      {422, R"({"error":"m","code":"CONTENT_POLICY_VIOLATION"})", Code::kInvalidArgument, 422,
       "CONTENT_POLICY_VIOLATION"},
      {403, R"({"error":{"code":403,"message":"m","metadata":{"reasons":["violence"]}}})",
       Code::kInvalidArgument, 400, "CONTENT_POLICY_VIOLATION"},
      {404, R"({"error":"m","code":"MODEL_NOT_FOUND"})", Code::kNotFound, 404, "MODEL_NOT_FOUND"},
      {400, R"({"error":"m","code":"INVALID_MODEL"})", Code::kNotFound, 404, "MODEL_NOT_FOUND"},
      {410, R"({"error":{"message":"m","code":"model_deprecated"}})", Code::kNotFound, 404,
       "MODEL_NOT_FOUND"},
      {429, R"({"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}})",
       Code::kUnavailable, 502, "UPSTREAM_QUOTA"},
      {402, R"({"error":"m","code":"INSUFFICIENT_BALANCE"})", Code::kUnavailable, 502,
       "UPSTREAM_QUOTA"},
      {429, R"({"error":"m","code":"RATE_LIMIT_EXCEEDED"})", Code::kResourceExhausted, 429,
       "RATE_LIMITED"},
      {413, R"({"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}})",
       Code::kResourceExhausted, 429, "RATE_LIMITED"},
      {429, R"({"error":"m","code":"MODEL_OVERLOADED"})", Code::kUnavailable, 503,
       "UPSTREAM_ERROR"},
      {429, R"({"error":{"message":"m","code":"queue_full"}})", Code::kUnavailable, 503,
       "UPSTREAM_ERROR"},
      {503, R"({"error":"m","code":"MODEL_OFFLINE"})", Code::kUnavailable, 503, "UPSTREAM_ERROR"},
      {503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
       Code::kUnavailable, 503, "UPSTREAM_ERROR"},
      {504, R"({"error":"m","code":"REQUEST_TIMEOUT"})", Code::kUnavailable, 504, "UPSTREAM_ERROR"},
      {401,
       R"({"error":{"message":"m","type":"authentication_error",)"
       R"("code":"invalid_request_error"}})",
       Code::kInternal, 502, "UPSTREAM_AUTH"},
      {400, R"({"error":{"message":"m","code":"tool_use_failed"}})", Code::kInvalidArgument, 400,
       ""},
      {500, R"({"error":"m","code":"INFERENCE_FAILED"})", Code::kInternal, 502, "UPSTREAM_ERROR"},
  };
  for (const KindCase& given : cases) {
    const Error error = upstream_error(given.status, given.body, 0, scrubber());
    EXPECT_EQ(error.code, given.code) << given.body;
    EXPECT_EQ(error.http_status, given.http_status) << given.body;
    EXPECT_EQ(error.type, given.type) << given.body;
  }
}

TEST(UpstreamError, TakesTheAdviceOfTheMessageWhereNoHeaderGivesAny) {
  constexpr std::string_view kBody =
      R"({"error":{"message":"Rate limit reached. Please try again in 5.289s.","type":"tokens",)"
      R"("code":"rate_limit_exceeded"}})";
  EXPECT_EQ(upstream_error(429, kBody, 0, scrubber()).retry_after_ms, 5289U);
  EXPECT_EQ(upstream_error(429, kBody, 7000, scrubber()).retry_after_ms, 7000U);
  EXPECT_EQ(document_error(kBody, scrubber()).retry_after_ms, 5289U);
}

TEST(UpstreamError, NamesAMissingModel) {
  const Error error = upstream_error(
      404, R"({"error":{"code":"model_not_found","message":"no such model"}})", 0, scrubber());
  EXPECT_EQ(error.type, "MODEL_NOT_FOUND");
  EXPECT_EQ(error.message, "no such model");
}

TEST(UpstreamError, LeaksNeitherHostNorKey) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"POST https://api.internal.example:8443/v1/x failed", "POST https://[hidden]/v1/x failed"},
      {"Host Api.Internal.EXAMPLE is busy", "Host [hidden] is busy"},
      {"key sk-secret-key, again SK-SECRET-KEY", "key [hidden], again [hidden]"},
      {"header-secretheader-secret", "[hidden][hidden]"},
      {"abc is too short to be hidden", "abc is too short to be hidden"},
  };
  for (const auto& [message, shown] : cases) {
    const std::string body = R"({"error":{"message":")" + std::string(message) + "\"}}";
    EXPECT_EQ(upstream_error(400, body, 0, scrubber()).message, shown);
    EXPECT_EQ(
        document_error(R"({"error":{"status_code":400,"message":")" + std::string(message) + "\"}}",
                       scrubber())
            .message,
        shown);
  }
}

TEST(UpstreamError, HidesBeforeItCuts) {
  const std::string filler(kMessageMaxBytes - 5, 'x');
  const std::string body = R"({"error":")" + filler + "sk-secret-key\"}";
  const Error error = upstream_error(400, body, 0, scrubber());
  EXPECT_EQ(error.message.find("sk-"), std::string::npos);
  EXPECT_LE(error.message.size(), kMessageMaxBytes);
}

TEST(UpstreamError, CutsBetweenCharacters) {
  std::string text = "b";
  while (text.size() < 2 * kMessageMaxBytes) text += "a\xE2\x82\xAC";
  const Error error = upstream_error(400, R"({"error":")" + text + "\"}", 0, scrubber());
  EXPECT_EQ(error.message, text.substr(0, kMessageMaxBytes - 2));
}

TEST(DocumentError, TakesTheStatusTheDocumentNames) {
  struct Case {
    std::string_view document;
    Code code;
    std::uint32_t http_status;
    std::string_view message;
  };
  const std::vector<Case> cases = {
      {R"({"error":{"code":400,"message":"limit"},"choices":[]})", Code::kInvalidArgument, 400,
       "limit"},
      {R"({"error":{"message":"tool","code":"tool_use_failed","status_code":400}})",
       Code::kInvalidArgument, 400, "tool"},
      {R"({"error":{"message":"m","type":"invalid_request_error"}})", Code::kInvalidArgument, 400,
       "m"},
      {R"({"error":{"message":"m","code":429}})", Code::kResourceExhausted, 429,
       "the provider is rate limiting this gateway"},
      {R"({"error":{"message":"m","code":503}})", Code::kUnavailable, 503,
       "the provider is overloaded or not ready"},
      {R"({"error":{"message":"secret stack","code":"server_error"}})", Code::kInternal, 502,
       "the provider reported an error"},
      {R"({"error":"words"})", Code::kInternal, 502, "the provider reported an error"},
      {R"({"message":"m","status":400})", Code::kInvalidArgument, 400, "m"},
      {R"({"error":{"code":200}})", Code::kInternal, 502, "the provider reported an error"},
      {"not json", Code::kInternal, 502, "the provider reported an error"},
  };
  for (const Case& given : cases) {
    const Error error = document_error(given.document, scrubber());
    EXPECT_EQ(error.code, given.code) << given.document;
    EXPECT_EQ(error.http_status, given.http_status) << given.document;
    EXPECT_EQ(error.message, given.message) << given.document;
  }
}

}  // namespace
}  // namespace backplane::dialect

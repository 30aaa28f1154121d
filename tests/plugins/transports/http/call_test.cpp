// SPDX-License-Identifier: Apache-2.0
// What a call is given, and what its answer may carry.
#include "fake_host.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

std::string post(std::string_view path, std::string_view body, std::string_view headers = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(Call, gets_operation_body_and_identity) {
  FakeHost host;
  host.entropy = 0xab;
  host.start();
  host.connect().data(post("/v1/chat/completions?x", "{\"a\":1}"));
  ASSERT_EQ(host.calls.size(), 1U);
  const FakeCall& call = host.calls.front();
  EXPECT_EQ(call.operation, "chat.completions");
  EXPECT_EQ(call.body, "{\"a\":1}");
  EXPECT_EQ(call.content_type, "application/json");
  EXPECT_EQ(call.padding, 64U);
  EXPECT_EQ(call.id, "abababababababababababababababab");
}

TEST(Call, takes_along_the_listed_headers_only) {
  FakeHost host;
  host.start();
  host.connect().data(post("/v1/completions", "{}",
                           "Authorization: Bearer k\r\nX-Payment: p\r\nPAYMENT-SIGNATURE: s\r\n"
                           "Traceparent: t\r\nTracestate: u\r\nIdempotency-Key: i\r\n"
                           "X-Provider: q\r\nOpenAI-Organization: o\r\nOpenAI-Project: j\r\n"
                           "Cache-Control: no-cache\r\nCache-Control: no-cache\r\n"
                           "Cookie: c\r\nX-Stainless-Lang: js\r\nRemote: forged\r\n"));
  const std::map<std::string, std::string> expected = {
      {"authorization", "Bearer k"}, {"x-payment", "p"},           {"payment-signature", "s"},
      {"traceparent", "t"},          {"tracestate", "u"},          {"idempotency-key", "i"},
      {"x-provider", "q"},           {"openai-organization", "o"}, {"openai-project", "j"},
      {"cache-control", "no-cache"}, {"remote", "192.0.2.1:5555"}};
  ASSERT_EQ(host.calls.size(), 1U);
  EXPECT_EQ(host.calls.front().metadata, expected);
}

TEST(Call, of_a_large_chunked_body_gets_it_whole) {
  FakeHost host;
  host.start();
  bp_connection& connection = host.connect();
  connection.data("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string whole;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(0x1000, static_cast<char>('a' + i % 26));
    connection.data("1000\r\n" + piece + "\r\n");
    whole += piece;
  }
  connection.data("0\r\n\r\n");
  ASSERT_EQ(host.calls.size(), 1U);
  EXPECT_EQ(host.calls.front().body, whole);
}

TEST(Call, refused_by_the_gateway_is_an_error_and_the_connection_lives) {
  FakeHost host;
  host.start();
  host.begin_error = {Code::kNotFound, "no model \"x\"", "MODEL_NOT_FOUND", 404, 0};
  bp_connection& connection = host.connect();
  connection.data(post("/v1/embeddings", "{}"));
  const std::string output = connection.take();
  EXPECT_NE(output.find("HTTP/1.1 404 Not Found"), std::string::npos);
  EXPECT_NE(output.find(R"("message":"no model \"x\"","type":"invalid_request_error")"),
            std::string::npos);
  EXPECT_FALSE(connection.closed);
  EXPECT_EQ(connection.timeout_ms, 75000U);
}

TEST(Call, passes_foreign_headers_that_are_safe) {
  FakeHost host;
  host.start();
  bp_connection& connection = host.connect();
  connection.data(post("/v1/embeddings", "{}"));
  FakeCall& call = host.calls.front();
  const auto pair = [](std::string_view name, std::string_view value) {
    return bp_pair{str(name), str(value)};
  };
  call.head(0, {pair("x-ratelimit-limit-requests", "5"), pair("Content-Length", "1"),
                pair("transfer-encoding", "chunked"), pair("connection", "close"),
                pair("bad name", "x"), pair("x-split", "a\r\nb: c"), pair("", "x")});
  call.body_bytes("{}", "application/json");
  call.end();
  EXPECT_EQ(connection.take(),
            "HTTP/1.1 200 OK\r\n" + std::string(kDate) +
                "x-request-id: 00000000000000000000000000000000\r\n"
                "content-type: application/json\r\nx-ratelimit-limit-requests: 5\r\n"
                "content-length: 2\r\n\r\n{}");
}

TEST(Call, fails_with_the_body_that_a_backend_has_ready) {
  FakeHost host;
  host.start();
  bp_connection& connection = host.connect();
  connection.data(post("/v1/embeddings", "{}"));
  FakeCall& call = host.calls.front();
  call.head(0);
  call.error({Code::kInvalidArgument, "m", {}, 422, 0}, "{\"own\":1}", "application/x-own");
  const std::string output = connection.take();
  EXPECT_EQ(output.substr(0, 34), "HTTP/1.1 422 Unprocessable Content");
  EXPECT_NE(output.find("content-type: application/x-own\r\n"), std::string::npos);
  EXPECT_EQ(output.substr(output.size() - 9), "{\"own\":1}");
}

TEST(Call, gathers_at_most_eight_mebibytes) {
  FakeHost host;
  host.start();
  bp_connection& connection = host.connect();
  connection.data(post("/v1/chat/completions", "{}"));
  FakeCall& call = host.calls.front();
  call.head(0);
  const std::string piece(1 << 20, 'a');
  for (int i = 0; i < 9 && call.released == 0; ++i) call.text(piece);
  EXPECT_EQ(call.released, 1);
  EXPECT_NE(connection.take().find("RESPONSE_TOO_LARGE"), std::string::npos);
}

TEST(Call, writes_once_an_event) {
  FakeHost host;
  host.start();
  bp_connection& connection = host.connect();
  connection.data(post("/v1/chat/completions", "{}"));
  FakeCall& call = host.calls.front();
  call.head(BP_REQUEST_STREAM);
  EXPECT_EQ(connection.writes.size(), 0U);
  call.text("a");
  EXPECT_EQ(connection.writes.size(), 1U);
  call.text("b");
  call.finish("stop");
  EXPECT_EQ(connection.writes.size(), 3U);
  call.end();
  EXPECT_EQ(connection.writes.size(), 4U);
}

}  // namespace
}  // namespace backplane::test

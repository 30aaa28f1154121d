// SPDX-License-Identifier: Apache-2.0
// Forms over HTTP/1.1: handed on as they come, never gathered.
#include "fake_host.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=x";
constexpr std::size_t kPiece = 65536;

std::string head_of(std::string_view framing) {
  return "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nContent-Type: " +
         std::string(kType) + "\r\n" + std::string(framing) + "\r\n\r\n";
}

class Upload : public testing::Test {
 protected:
  void begin(std::string_view framing, std::string_view first = {},
             std::string_view settings = R"({"listen":"x:0"})") {
    host.start(settings);
    connection = &host.connect();
    connection->data(head_of(framing) + std::string(first));
    if (!host.calls.empty()) call = &host.calls.front();
  }

  void answer() {
    call->head(0);
    call->body_bytes("{}", "application/json");
    call->end();
  }

  FakeHost host;
  bp_connection* connection = nullptr;
  FakeCall* call = nullptr;
};

TEST_F(Upload, begins_with_what_came_along_with_the_head) {
  begin("Content-Length: 10", "abc");
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->operation, "audio.transcriptions");
  EXPECT_EQ(call->content_type, kType);
  EXPECT_EQ(call->body, "abc");
  ASSERT_NE(call->rest, nullptr);
  EXPECT_EQ(call->rest->size, 7U);
  std::string rest;
  EXPECT_EQ(call->read_all(rest), BP_READ_WAIT);
  connection->data("defg");
  EXPECT_EQ(call->woken, 1);
  EXPECT_EQ(call->read_all(rest), BP_READ_WAIT);
  connection->data("hij");
  EXPECT_EQ(call->woken, 2);
  EXPECT_EQ(call->read_all(rest), BP_READ_END);
  EXPECT_EQ(rest, "defghij");
  answer();
  EXPECT_EQ(connection->take().substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_FALSE(connection->closed);
}

TEST_F(Upload, that_came_whole_has_no_stream) {
  begin("Content-Length: 3", "abc");
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->body, "abc");
  EXPECT_EQ(call->rest, nullptr);
}

TEST_F(Upload, in_chunks_is_of_unknown_size) {
  begin("Transfer-Encoding: chunked", "2\r\nab\r\n");
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->rest->size, BP_SIZE_UNKNOWN);
  std::string all = call->body;
  for (const char& byte : std::string_view("3\r\ncde\r\n0\r\n\r\n")) connection->data({&byte, 1});
  EXPECT_EQ(call->read_all(all), BP_READ_END);
  EXPECT_EQ(all, "abcde");
}

TEST_F(Upload, that_nobody_reads_pauses_the_connection) {
  begin("Content-Length: 1000000");
  const std::string piece(kPiece, 'a');
  int sent = 0;
  while (!connection->paused && sent < 10) {
    connection->data(piece);
    ++sent;
  }
  EXPECT_EQ(sent, 5) << "at most a piece above 256 KiB";
  EXPECT_EQ(connection->timeout_ms, 0U) << "the delay is not the client's";
  std::string all;
  EXPECT_EQ(call->read_all(all), BP_READ_WAIT);
  EXPECT_EQ(all.size(), 5 * kPiece);
  EXPECT_FALSE(connection->paused);
  EXPECT_EQ(connection->timeout_ms, 60000U);
}

TEST_F(Upload, that_nobody_reads_waits_also_where_the_answer_is_not_taken) {
  begin("Content-Length: 1000000");
  call->head(BP_REQUEST_STREAM);
  connection->answer = BP_FLOW_PAUSE;
  EXPECT_EQ(call->chunk("{}"), BP_FLOW_PAUSE);
  const std::string piece(kPiece, 'a');
  int sent = 0;
  for (; !connection->paused && sent < 10; ++sent) connection->data(piece);
  EXPECT_EQ(sent, 5) << "at most a piece above 256 KiB";
  EXPECT_EQ(connection->timeout_ms, 60000U) << "the client must take the answer";
  std::string all;
  EXPECT_EQ(call->read_all(all), BP_READ_WAIT);
  EXPECT_FALSE(connection->paused);
}

TEST_F(Upload, of_a_client_that_leaves_has_failed) {
  begin("Content-Length: 10", "abc");
  connection->end();
  EXPECT_EQ(call->released, 1);
  EXPECT_TRUE(connection->aborted);
}

TEST_F(Upload, beyond_the_bound_is_refused_midway) {
  begin("Transfer-Encoding: chunked", "2\r\nab\r\n", R"({"listen":"x:0","max_body_bytes":1024})");
  ASSERT_NE(call, nullptr);
  connection->data("400\r\n" + std::string(0x400, 'a') + "\r\n");
  EXPECT_EQ(call->released, 1);
  EXPECT_EQ(connection->take().substr(0, 12), "HTTP/1.1 413");
  EXPECT_TRUE(connection->closed);
}

TEST_F(Upload, whose_call_ends_early_is_answered_and_the_connection_closed) {
  begin("Content-Length: 10", "abc");
  call->head(0);
  call->error({Code::kUnavailable, "x", {}, 0, 0});
  const std::string output = connection->take();
  EXPECT_EQ(output.substr(0, 12), "HTTP/1.1 503");
  EXPECT_NE(output.find("connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(connection->closed);
  EXPECT_FALSE(connection->aborted);
}

TEST_F(Upload, that_the_gateway_refuses_is_answered_and_the_connection_closed) {
  host.begin_error = {Code::kNotFound, "no", {}, 0, 0};
  begin("Content-Length: 10", "abc");
  EXPECT_EQ(connection->take().substr(0, 12), "HTTP/1.1 404");
  EXPECT_TRUE(connection->closed);
}

TEST_F(Upload, that_stalls_gets_408) {
  begin("Content-Length: 10", "abc");
  connection->time_out();
  EXPECT_EQ(call->released, 1);
  EXPECT_EQ(connection->take().substr(0, 12), "HTTP/1.1 408");
}

TEST_F(Upload, is_followed_by_the_next_request) {
  begin("Content-Length: 4", "ab");
  connection->data("cdGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(connection->output, "");
  std::string rest;
  EXPECT_EQ(call->read_all(rest), BP_READ_END);
  EXPECT_EQ(rest, "cd");
  answer();
  EXPECT_NE(connection->take().find(R"({"status":"ok"})"), std::string::npos);
  EXPECT_FALSE(connection->closed);
}

TEST_F(Upload, slower_than_the_least_rate_has_less_and_less_time) {
  begin("Content-Length: 100000", {},
        R"({"listen":"x:0","body_timeout_ms":1000,"min_body_rate":1000})");
  EXPECT_EQ(connection->timeout_ms, 1000U);
  host.monotonic_ns += 900'000'000;
  connection->data("a");  // worth a millisecond
  EXPECT_EQ(connection->timeout_ms, 101U);
  connection->data(std::string(5000, 'a'));
  EXPECT_EQ(connection->timeout_ms, 1000U);
}

}  // namespace
}  // namespace backplane::test

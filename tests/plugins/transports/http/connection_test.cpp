// SPDX-License-Identifier: Apache-2.0
// The life of a connection: pipelining, back-pressure, leaving, timeouts, drain.
#include "fake_host.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr std::string_view kHealth = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kCall =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

class Connection : public testing::Test {
 protected:
  Connection() {
    host.start();
    connection = &host.connect();
  }

  FakeCall& begin_stream() {
    connection->data(kCall);
    FakeCall& call = host.calls.back();
    call.head(BP_REQUEST_STREAM);
    return call;
  }

  FakeHost host;
  bp_connection* connection = nullptr;
};

TEST_F(Connection, holds_back_what_is_pipelined_behind_a_call) {
  connection->data(std::string(kCall) + std::string(kHealth));
  EXPECT_TRUE(connection->paused);
  connection->data(kHealth);
  EXPECT_EQ(connection->output, "");
  FakeCall& call = host.calls.front();
  call.head(0);
  call.text("a");
  call.end();
  EXPECT_EQ(count(connection->output, "HTTP/1.1 200 OK"), 3U);
  EXPECT_FALSE(connection->paused);
  EXPECT_EQ(call.released, 1);
}

TEST(Bodies, held_beyond_the_bound_are_refused_and_small_ones_served) {
  FakeHost host;
  host.start(R"({"listen":"x:0","max_held_body_bytes":1048576})");
  const auto head = [](std::size_t length) {
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\n";
  };
  const std::string large(700'000, 'a');
  bp_connection& first = host.connect();
  first.data(head(large.size()) + large.substr(1));
  for (int round = 0; round < 2; ++round) {
    bp_connection& second = host.connect();
    second.data(head(large.size()) + large);
    EXPECT_EQ(second.output.substr(0, 12), "HTTP/1.1 503") << second.output;
    EXPECT_NE(second.output.find("retry-after: 1\r\n"), std::string::npos) << second.output;
    EXPECT_NE(second.output.find("OVERLOADED"), std::string::npos) << second.output;
  }
  EXPECT_EQ(host.calls.size(), 0U);
  host.connect().data(kCall);
  EXPECT_EQ(host.calls.size(), 1U);
  first.data("a");
  ASSERT_EQ(host.calls.size(), 2U);
  EXPECT_EQ(host.calls.back().body.size(), large.size());
  host.connect().data(head(large.size()) + large);
  EXPECT_EQ(host.calls.size(), 3U);
}

TEST_F(Connection, begins_the_next_call_when_one_ends) {
  connection->data(std::string(kCall) + std::string(kCall));
  ASSERT_EQ(host.calls.size(), 1U);
  host.calls[0].head(0);
  host.calls[0].text("a");
  host.calls[0].end();
  ASSERT_EQ(host.calls.size(), 2U);
  host.calls[1].head(0);
  host.calls[1].text("a");
  host.calls[1].end();
  EXPECT_EQ(count(connection->output, "chat.completion"), 2U);
}

TEST_F(Connection, passes_back_pressure_to_the_call) {
  FakeCall& call = begin_stream();
  EXPECT_EQ(connection->timeout_ms, 0U);
  EXPECT_EQ(call.text("a"), BP_FLOW_CONTINUE);
  connection->answer = BP_FLOW_PAUSE;
  EXPECT_EQ(call.text("b"), BP_FLOW_PAUSE);
  EXPECT_EQ(connection->timeout_ms, 60000U);
  EXPECT_EQ(call.resumed, 0);
  connection->drained();
  EXPECT_EQ(call.resumed, 1);
  EXPECT_EQ(connection->timeout_ms, 0U);
  EXPECT_EQ(call.text("c"), BP_FLOW_CONTINUE);
}

TEST_F(Connection, that_does_not_read_is_cut_off) {
  FakeCall& call = begin_stream();
  connection->answer = BP_FLOW_PAUSE;
  call.text("a");
  connection->time_out();
  EXPECT_TRUE(connection->aborted);
  EXPECT_EQ(call.released, 1);
}

TEST_F(Connection, that_does_not_read_gets_no_further_answers) {
  connection->answer = BP_FLOW_PAUSE;
  connection->data(std::string(kHealth) + std::string(kHealth));
  EXPECT_EQ(count(connection->output, "HTTP/1.1 200 OK"), 1U);
  EXPECT_TRUE(connection->paused);
  connection->drained();
  EXPECT_EQ(count(connection->output, "HTTP/1.1 200 OK"), 2U);
  EXPECT_FALSE(connection->paused);
}

TEST_F(Connection, that_ends_while_blocked_goes_on_once_drained) {
  FakeCall& call = begin_stream();
  connection->answer = BP_FLOW_PAUSE;
  call.text("a");
  call.end();
  EXPECT_EQ(connection->timeout_ms, 60000U);
  connection->drained();
  EXPECT_EQ(connection->timeout_ms, 75000U);
  connection->data(kHealth);
  EXPECT_EQ(count(connection->output, "HTTP/1.1 200 OK"), 2U);
}

TEST_F(Connection, that_is_gone_releases_its_call_at_once) {
  FakeCall& call = begin_stream();
  call.text("a");
  connection->leave();
  EXPECT_EQ(call.released, 1);
}

TEST_F(Connection, whose_write_says_stop_stops_the_call) {
  FakeCall& call = begin_stream();
  connection->answer = BP_FLOW_STOP;
  EXPECT_EQ(call.text("a"), BP_FLOW_STOP);
}

TEST_F(Connection, that_ends_while_a_call_runs_stops_the_call) {
  FakeCall& call = begin_stream();
  call.text("a");
  connection->end();
  EXPECT_EQ(call.released, 1);
  EXPECT_EQ(count(connection->output, "data: [DONE]"), 0U);
}

TEST_F(Connection, idle_and_ended_is_closed) {
  connection->end();
  EXPECT_TRUE(connection->closed);
  EXPECT_EQ(connection->output, "");
}

TEST_F(Connection, that_ends_inside_a_request_is_told) {
  connection->data("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{");
  connection->end();
  EXPECT_EQ(connection->output.substr(0, 12), "HTTP/1.1 400");
  EXPECT_TRUE(connection->closed);
  EXPECT_TRUE(host.calls.empty());
}

TEST_F(Connection, takes_the_timeout_of_its_phase) {
  EXPECT_EQ(connection->timeout_ms, 10000U);
  connection->timeout_ms = 1;
  connection->data("GET /hea");
  EXPECT_EQ(connection->timeout_ms, 10000U);
  connection->timeout_ms = 1;
  connection->data("lth HTTP/1.1\r\n");
  EXPECT_EQ(connection->timeout_ms, 1U) << "the time for a head is not renewed by its bytes";
  connection->data("Host: a\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(connection->timeout_ms, 60000U);
  connection->timeout_ms = 1;
  connection->data("a");
  EXPECT_EQ(connection->timeout_ms, 60000U);
  connection->data("b");
  EXPECT_EQ(connection->timeout_ms, 75000U);
}

TEST_F(Connection, late_in_a_request_gets_408) {
  connection->data("GET /hea");
  connection->time_out();
  EXPECT_EQ(connection->output.substr(0, 28), "HTTP/1.1 408 Request Timeout");
  EXPECT_TRUE(connection->closed);
}

TEST_F(Connection, idle_too_long_is_closed_silently) {
  connection->data(kHealth);
  connection->take();
  connection->time_out();
  EXPECT_EQ(connection->output, "");
  EXPECT_TRUE(connection->closed);
}

TEST_F(Connection, that_lingers_after_close_is_cut_off) {
  connection->data("nonsense\n");
  EXPECT_TRUE(connection->closed);
  EXPECT_EQ(connection->timeout_ms, 60000U);
  connection->time_out();
  EXPECT_TRUE(connection->aborted);
}

TEST_F(Connection, drained_closes_soon_when_idle_and_after_its_response_when_busy) {
  bp_connection& busy = host.connect();
  busy.data(kCall);
  host.calls.front().head(0);
  bp_connection& reading = host.connect();
  reading.data("GET /health HTTP/1.1\r\n");
  host.drain();
  EXPECT_FALSE(host.listening);
  EXPECT_EQ(connection->timeout_ms, 300U);
  connection->time_out();
  EXPECT_TRUE(connection->closed);
  EXPECT_FALSE(busy.closed);
  EXPECT_FALSE(reading.closed);
  host.calls.front().text("a");
  host.calls.front().end();
  reading.data("Host: a\r\n\r\n");
  for (const bp_connection* each : {&busy, &reading}) {
    EXPECT_EQ(count(each->output, "connection: close\r\n"), 1U);
    EXPECT_TRUE(each->closed);
  }
}

TEST_F(Connection, drained_answers_the_request_that_was_on_its_way) {
  bp_connection& served = host.connect();
  served.data(kHealth);
  host.drain();
  for (bp_connection* each : {connection, &served}) {
    each->data(kHealth);
    EXPECT_EQ(count(each->output, "connection: close\r\n"), 1U);
    EXPECT_TRUE(each->closed);
  }
}

TEST_F(Connection, tells_when_the_host_is_not_ready) {
  host.ready = false;
  connection->data("GET /ready HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(connection->take().substr(0, 12), "HTTP/1.1 503");
  connection->data(kHealth);
  EXPECT_EQ(connection->take().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(Connection, says_continue_before_the_body_comes) {
  connection->data(
      "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
      "Content-Length: 2\r\n\r\n");
  EXPECT_EQ(connection->take(), "HTTP/1.1 100 Continue\r\n\r\n");
  connection->data("{}");
  EXPECT_EQ(host.calls.size(), 1U);
}

TEST_F(Connection, renews_the_date_with_the_second) {
  connection->data(kHealth);
  EXPECT_EQ(count(connection->take(), kDate), 1U);
  host.unix_ns += 1'000'000'000;
  connection->data(kHealth);
  EXPECT_EQ(count(connection->take(), "date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"), 1U);
}

TEST_F(Connection, describes_the_address_in_use) {
  EXPECT_EQ(host.describe(), R"({"listen":["127.0.0.1:4711"]})");
}

}  // namespace
}  // namespace backplane::test

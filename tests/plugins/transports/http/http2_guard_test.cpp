// SPDX-License-Identifier: Apache-2.0
// HTTP/2 against clients that break rules, flood, stall or are told to go.
#include "http2_client.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr const char* kChat = "/v1/chat/completions";
constexpr std::int64_t kSecond = 1'000'000'000;

class Http2Guard : public testing::Test {
 protected:
  void open(std::string_view settings = R"({"listen":"x:0"})", std::uint32_t window = 1 << 20) {
    host.start(settings);
    client = std::make_unique<Http2Client>(host, window);
  }
  void pass(std::int64_t seconds) {
    host.monotonic_ns += seconds * kSecond;
    client->connection.time_out();
    client->pump();
  }
  void expect_calmed() {
    client->pump();
    EXPECT_EQ(client->goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_TRUE(client->connection.closed);
    for (const FakeCall& call : host.calls) EXPECT_EQ(call.released, 1);
  }

  FakeHost host;
  std::unique_ptr<Http2Client> client;
};

// The client may have stopped listening: in the bytes.
bool told_to_be_calm(const bp_connection& connection) {
  constexpr std::size_t kGoawayBytes = 17;
  constexpr std::size_t kTypeAt = 3;
  for (const std::string& write : connection.writes) {
    if (write.size() == kGoawayBytes && write[kTypeAt] == NGHTTP2_GOAWAY) {
      return write.back() == NGHTTP2_ENHANCE_YOUR_CALM;
    }
  }
  return false;
}

struct Malformed {
  const char* name;
  Fields fields;
};

const Malformed kMalformed[] = {
    {"two authorities",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {"host", "b"}}},
    {"user in authority",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/health"}, {":authority", "u@a"}}},
    {"no authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/health"}}},
    {"connection header",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {"connection", "close"}}},
    {"transfer-encoding",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {"transfer-encoding", "chunked"}}},
    {"te",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {"te", "gzip"}}},
    {"space in a name",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {"a b", "1"}}},
    {"line break in a value",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {"x", "1\r\nauthorization: y"}}},
    {"space in the path",
     {{":method", "GET"}, {":scheme", "http"}, {":path", "/hea lth"}, {":authority", "a"}}},
    {"pseudo field late",
     {{":method", "GET"},
      {":scheme", "http"},
      {"x", "1"},
      {":path", "/health"},
      {":authority", "a"}}},
    {"status in a request",
     {{":method", "GET"},
      {":scheme", "http"},
      {":path", "/health"},
      {":authority", "a"},
      {":status", "200"}}},
};

TEST_F(Http2Guard, malformed_requests_are_stream_errors) {
  open();
  for (const Malformed& each : kMalformed) {
    SCOPED_TRACE(each.name);
    const std::int32_t id = client->request(each.fields, nullptr);
    EXPECT_EQ(client->answer(id).status, "");
    EXPECT_EQ(client->answer(id).reset, NGHTTP2_PROTOCOL_ERROR);
  }
  EXPECT_EQ(client->answer(client->get("/health")).status, "200");
}

TEST_F(Http2Guard, body_of_another_length_than_told_is_a_stream_error) {
  open();
  for (const char* length : {"1", "3"}) {
    const std::int32_t id = client->post(kChat, "{}", {{"content-length", length}});
    EXPECT_EQ(client->answer(id).reset, NGHTTP2_PROTOCOL_ERROR);
  }
  EXPECT_TRUE(host.calls.empty());
}

TEST_F(Http2Guard, headers_have_bounds) {
  open(R"({"listen":"x:0","max_header_bytes":2048,"max_headers":20})");
  const std::int32_t large = client->post(kChat, "{}", {{"x-large", std::string(2048, 'a')}});
  EXPECT_EQ(client->answer(large).status, "431");
  Fields many;
  for (int i = 0; i < 20; ++i) many.emplace_back("x-" + std::to_string(i), "1");
  EXPECT_EQ(client->answer(client->post(kChat, "{}", many)).status, "431");
  const std::int32_t twice =
      client->post(kChat, "{}", {{"idempotency-key", "a"}, {"idempotency-key", "b"}});
  EXPECT_EQ(client->answer(twice).status, "400");
  EXPECT_TRUE(host.calls.empty());
}

TEST_F(Http2Guard, header_list_that_unpacks_to_much_ends_the_connection) {
  open(R"({"listen":"x:0","max_header_bytes":2048})");
  Fields bomb;
  for (int i = 0; i < 60; ++i) bomb.emplace_back("x-bomb", std::string(500, 'a'));
  client->post(kChat, "{}", bomb);
  expect_calmed();
}

TEST_F(Http2Guard, streams_at_once_have_a_bound) {
  open(R"({"listen":"x:0","max_streams":2})");
  for (int i = 0; i < 3; ++i) client->post(kChat, "{}");
  EXPECT_EQ(host.calls.size(), 2U) << "the client keeps to what it was told";
}

TEST_F(Http2Guard, rapid_resets_end_the_connection) {
  open();
  std::size_t sent = 0;
  for (; sent < 1000 && !client->connection.closed; ++sent)
    client->reset(client->post(kChat, "{}"));
  EXPECT_GE(sent, 200U);
  EXPECT_LE(sent, 202U);
  expect_calmed();
}

TEST_F(Http2Guard, resets_now_and_then_do_not) {
  open();
  for (int i = 0; i < 500; ++i) {
    client->reset(client->post(kChat, "{}"));
    host.monotonic_ns += kSecond / 10;
  }
  EXPECT_FALSE(client->goaway);
}

TEST_F(Http2Guard, streams_that_make_us_reset_them_are_counted_too) {
  open();
  for (int i = 0; i < 1000 && !client->connection.closed; ++i) {
    const std::int32_t id = client->post(kChat, "{}");
    client->raw(NGHTTP2_WINDOW_UPDATE, 0, id, "\x7f\xff\xff\xff");
  }
  expect_calmed();
}

TEST_F(Http2Guard, frames_that_move_nothing_end_the_connection) {
  struct Flood {
    const char* name;
    std::uint8_t type;
    std::int32_t stream;
    std::size_t size;
  };
  for (const Flood& flood :
       {Flood{"ping", NGHTTP2_PING, 0, 8}, Flood{"settings", NGHTTP2_SETTINGS, 0, 0},
        Flood{"empty data", NGHTTP2_DATA, 1, 0}, Flood{"priority", NGHTTP2_PRIORITY, 1, 5}}) {
    SCOPED_TRACE(flood.name);
    FakeHost other;
    other.start();
    Http2Client flooder(other);
    const std::string nothing;
    flooder.request(
        {{":method", "POST"}, {":scheme", "http"}, {":path", kChat}, {":authority", "a"}}, &nothing,
        true);
    int sent = 0;
    for (; sent < 5000 && !flooder.connection.closed; ++sent) {
      flooder.raw(flood.type, 0, flood.stream, std::string(flood.size, '\0'));
    }
    EXPECT_LT(sent, 2100);
    EXPECT_TRUE(told_to_be_calm(flooder.connection));
  }
}

TEST_F(Http2Guard, head_that_never_ends_runs_out_of_time) {
  open();
  client->post(kChat, "{}");
  client->raw(NGHTTP2_HEADERS, 0, 3, "\x82");
  pass(9);
  EXPECT_FALSE(client->goaway);
  pass(2);
  expect_calmed();
}

TEST_F(Http2Guard, head_that_never_ends_is_timed_though_another_stream_ends) {
  open();
  client->post(kChat, "{}");
  client->raw(NGHTTP2_HEADERS, 0, 3, "\x82");
  host.calls.front().head(0);
  host.calls.front().text("a");
  host.calls.front().end();
  client->raw(NGHTTP2_CONTINUATION, 0, 3, "\x86");
  pass(11);
  expect_calmed();
}

TEST_F(Http2Guard, head_in_endless_pieces_ends_the_connection) {
  open();
  client->raw(NGHTTP2_HEADERS, 0, 1, "\x82");
  for (int i = 0; i < 100 && !client->connection.closed; ++i) {
    client->raw(NGHTTP2_CONTINUATION, 0, 1, "");
  }
  EXPECT_TRUE(client->connection.closed);
}

TEST_F(Http2Guard, body_that_stalls_gets_408) {
  open();
  const std::string some = "{";
  const std::int32_t id = client->request(
      {{":method", "POST"}, {":scheme", "http"}, {":path", kChat}, {":authority", "a"}}, &some,
      true);
  EXPECT_LE(client->connection.timeout_ms, 60001U);
  pass(61);
  EXPECT_EQ(client->answer(id).status, "408");
  pass(3);
  EXPECT_EQ(client->answer(id).reset, NGHTTP2_NO_ERROR);
  EXPECT_FALSE(client->goaway);
}

TEST_F(Http2Guard, window_kept_shut_loses_its_stream) {
  open(R"({"listen":"x:0"})", 0);
  const std::int32_t id = client->post(kChat, "{}");
  FakeCall& call = host.calls.back();
  call.head(BP_REQUEST_STREAM);
  call.text("a");
  client->pump();
  EXPECT_EQ(client->answer(id).status, "200");
  pass(59);
  EXPECT_EQ(call.released, 0);
  pass(2);
  EXPECT_EQ(call.released, 1);
  EXPECT_EQ(client->answer(id).reset, NGHTTP2_CANCEL);
  EXPECT_FALSE(client->goaway);
}

TEST_F(Http2Guard, window_opened_by_drops_loses_its_stream) {
  open(R"({"listen":"x:0","min_write_rate":1000})", 0);
  const std::int32_t id = client->post(kChat, "{}");
  FakeCall& call = host.calls.back();
  call.head(BP_REQUEST_STREAM);
  call.text(std::string(20000, 'a'));
  client->pump();
  for (int i = 0; i < 4 && call.released == 0; ++i) {
    client->open_window(id, 10);
    pass(20);
  }
  EXPECT_EQ(client->answer(id).reset, NGHTTP2_CANCEL);
}

TEST_F(Http2Guard, socket_that_takes_nothing_is_cut_off) {
  open();
  client->post(kChat, "{}");
  FakeCall& call = host.calls.back();
  call.head(BP_REQUEST_STREAM);
  client->connection.answer = BP_FLOW_PAUSE;
  call.text("a");
  const std::size_t writes = client->connection.writes.size();
  call.text("b");
  EXPECT_EQ(client->connection.writes.size(), writes) << "nothing more is written";
  EXPECT_EQ(client->connection.timeout_ms, 60000U);
  client->connection.time_out();
  EXPECT_TRUE(client->connection.aborted);
  EXPECT_EQ(call.released, 1);
}

// One that never acknowledges the settings may open more: each is refused, and the refusals wait.
TEST_F(Http2Guard, refusals_that_nobody_reads_are_bounded) {
  host.start(R"({"listen":"x:0","max_streams":2})");
  bp_connection& flooder = host.connect();
  flooder.data("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9));
  flooder.answer = BP_FLOW_PAUSE;
  int sent = 0;
  for (; sent < 5000 && !flooder.aborted; ++sent) {
    const int id = 1 + 2 * sent;
    std::string head("\0\0\x06\1\5\0\0\0\0\x82\x86\x84\x41\1a", 15);
    head[7] = static_cast<char>(id >> 8);
    head[8] = static_cast<char>(id);
    flooder.data(head);
  }
  EXPECT_LT(sent, 1100);
  EXPECT_TRUE(flooder.aborted);
}

TEST_F(Http2Guard, socket_that_drains_goes_on) {
  open();
  const std::int32_t id = client->post(kChat, "{}");
  FakeCall& call = host.calls.back();
  call.head(BP_REQUEST_STREAM);
  client->connection.answer = BP_FLOW_PAUSE;
  std::uint32_t flow = BP_FLOW_CONTINUE;
  for (int i = 0; i < 100 && flow == BP_FLOW_CONTINUE; ++i)
    flow = call.text(std::string(1000, 'a'));
  EXPECT_EQ(flow, BP_FLOW_PAUSE);
  client->connection.drained();
  EXPECT_EQ(call.resumed, 1);
  call.end();
  client->pump();
  EXPECT_TRUE(client->answer(id).ended);
}

TEST_F(Http2Guard, idle_connection_is_told_and_closed) {
  open();
  client->get("/health");
  pass(74);
  EXPECT_FALSE(client->goaway);
  pass(2);
  EXPECT_EQ(client->goaway, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(client->connection.closed);
}

TEST_F(Http2Guard, drain_finishes_what_runs) {
  open();
  const std::int32_t id = client->post(kChat, "{}");
  FakeCall& call = host.calls.back();
  call.head(0);
  Http2Client idle(host);
  host.drain();
  idle.pump();
  client->pump();
  EXPECT_EQ(idle.goaway, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(idle.connection.closed);
  EXPECT_EQ(client->goaway, NGHTTP2_NO_ERROR);
  EXPECT_FALSE(client->connection.closed);
  call.text("a");
  call.end();
  client->pump();
  EXPECT_EQ(client->answer(id).status, "200");
  EXPECT_TRUE(client->answer(id).ended);
  EXPECT_TRUE(client->connection.closed);
}

}  // namespace
}  // namespace backplane::test

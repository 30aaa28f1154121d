// SPDX-License-Identifier: Apache-2.0
// Exchanges over HTTP/2: requests, answers, windows, uploads, failures.
#include "http2_client.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kForm = "/v1/audio/transcriptions";
const Fields kFormType = {{"content-type", "multipart/form-data; boundary=x"}};

class Http2 : public testing::Test {
 protected:
  void open(std::string_view settings = R"({"listen":"x:0"})", std::uint32_t window = 1 << 20) {
    host.start(settings);
    client = std::make_unique<Http2Client>(host, window);
  }

  FakeCall& begin_stream() {
    stream = client->post(kChat, "{}");
    FakeCall& call = host.calls.back();
    call.head(BP_REQUEST_STREAM);
    return call;
  }

  Fields post_fields(const Fields& more = {}) {
    Fields fields = {
        {":method", "POST"}, {":scheme", "http"}, {":path", kForm}, {":authority", "a"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  }

  FakeHost host;
  std::unique_ptr<Http2Client> client;
  std::int32_t stream = 0;
};

TEST_F(Http2, answers_what_needs_no_call) {
  open();
  const Http2Answer& answer = client->answer(client->get("/health?x"));
  EXPECT_EQ(answer.status, "200");
  EXPECT_EQ(answer.body, R"({"status":"ok"})");
  EXPECT_TRUE(answer.ended);
  const std::map<std::string, std::string> expected = {
      {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
      {"x-request-id", "00000000000000000000000000000000"},
      {"content-type", "application/json"},
      {"content-length", "15"}};
  EXPECT_EQ(answer.fields, expected);
}

TEST_F(Http2, answers_head_without_a_body) {
  open();
  const std::int32_t id = client->request(
      {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/health"}, {":authority", "a"}},
      nullptr);
  EXPECT_EQ(client->answer(id).fields.at("content-length"), "15");
  EXPECT_EQ(client->answer(id).body, "");
  EXPECT_TRUE(client->answer(id).ended);
}

TEST_F(Http2, hands_a_request_to_its_call) {
  open();
  client->post("/v1/embeddings", R"({"a":1})",
               {{"authorization", "Bearer k"}, {"cookie", "c"}, {"x-request-id", "mine"}});
  ASSERT_EQ(host.calls.size(), 1U);
  const FakeCall& call = host.calls.front();
  EXPECT_EQ(call.operation, "embeddings");
  EXPECT_EQ(call.body, R"({"a":1})");
  EXPECT_EQ(call.id, "mine");
  const std::map<std::string, std::string> expected = {{"authorization", "Bearer k"},
                                                       {"remote", "192.0.2.1:5555"}};
  EXPECT_EQ(call.metadata, expected);
}

TEST_F(Http2, streams_events_as_they_come) {
  open();
  FakeCall& call = begin_stream();
  EXPECT_EQ(call.text("a"), BP_FLOW_CONTINUE);
  client->pump();
  EXPECT_EQ(client->answer(stream).fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(client->answer(stream).fields.count("transfer-encoding"), 0U);
  EXPECT_NE(client->answer(stream).body.find(R"("content":"a")"), std::string::npos);
  EXPECT_FALSE(client->answer(stream).ended);
  call.finish("stop");
  call.end();
  client->pump();
  const std::string& body = client->answer(stream).body;
  EXPECT_EQ(body.substr(body.size() - 14), "data: [DONE]\n\n");
  EXPECT_TRUE(client->answer(stream).ended);
  EXPECT_FALSE(client->answer(stream).reset);
  EXPECT_EQ(call.released, 1);
}

TEST_F(Http2, serves_many_streams_at_once) {
  open();
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(client->post(kChat, "{}"));
  ASSERT_EQ(host.calls.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i) host.calls[49 - i].head(0);
  for (std::size_t i = 0; i < 50; ++i) {
    host.calls[i].text("text" + std::to_string(i) + ".");
    host.calls[i].end();
  }
  client->pump();
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_NE(client->answer(ids[i]).body.find("text" + std::to_string(i) + "."),
              std::string::npos);
    EXPECT_TRUE(client->answer(ids[i]).ended);
  }
}

TEST_F(Http2, closed_window_pauses_the_call) {
  open(R"({"listen":"x:0"})", 1000);
  FakeCall& call = begin_stream();
  std::size_t events = 0;
  while (call.text(std::string(900, 'a')) == BP_FLOW_CONTINUE && events < 100) ++events;
  client->pump();
  EXPECT_GT(events, 20U);
  EXPECT_LT(events, 40U) << "about 32 KiB wait";
  EXPECT_EQ(client->answer(stream).body.size(), 1000U);
  EXPECT_LE(client->connection.timeout_ms, 60001U);
  client->open_window(stream, 10000);
  EXPECT_EQ(call.resumed, 0);
  client->open_window(stream, 30000);
  EXPECT_EQ(call.resumed, 1);
  EXPECT_EQ(call.text("b"), BP_FLOW_CONTINUE);
}

TEST_F(Http2, large_answers_wait_for_their_window) {
  open(R"({"listen":"x:0"})", 100);
  const std::int32_t id = client->post("/v1/embeddings", "{}");
  FakeCall& call = host.calls.back();
  const std::string body(200'000, 'x');
  call.head(0);
  call.body_bytes(body, "application/json");
  call.end();
  EXPECT_EQ(call.released, 1);
  client->pump();
  EXPECT_EQ(client->answer(id).body.size(), 100U);
  client->open_window(id, 1 << 20);
  EXPECT_EQ(client->answer(id).body, body);
  EXPECT_TRUE(client->answer(id).ended);
}

TEST_F(Http2, failure_midway_is_told_and_never_looks_complete) {
  open();
  FakeCall& call = begin_stream();
  call.text("a");
  call.error({Code::kUnavailable, "gone", {}, 0, 0});
  client->pump();
  const Http2Answer& answer = client->answer(stream);
  EXPECT_NE(answer.body.find(R"(data: {"error":{"message":"gone")"), std::string::npos);
  EXPECT_FALSE(answer.ended);
  EXPECT_EQ(answer.reset, NGHTTP2_INTERNAL_ERROR);
  EXPECT_EQ(client->answer(client->get("/health")).status, "200");
}

TEST_F(Http2, failure_before_the_head_is_an_answer) {
  open();
  const std::int32_t id = client->post(kChat, "{}");
  host.calls.back().head(BP_REQUEST_STREAM);
  host.calls.back().error({Code::kResourceExhausted, "x", {}, 0, 2000});
  client->pump();
  EXPECT_EQ(client->answer(id).status, "429");
  EXPECT_EQ(client->answer(id).fields.at("retry-after"), "2");
  EXPECT_TRUE(client->answer(id).ended);
}

TEST_F(Http2, reset_stream_releases_its_call_at_once) {
  open();
  FakeCall& call = begin_stream();
  call.text("a");
  client->pump();
  client->reset(stream);
  EXPECT_EQ(call.released, 1);
  EXPECT_EQ(client->answer(client->get("/health")).status, "200");
}

TEST_F(Http2, connection_that_goes_releases_every_call) {
  open();
  for (int i = 0; i < 3; ++i) client->post(kChat, "{}");
  client->connection.leave();
  for (const FakeCall& call : host.calls) EXPECT_EQ(call.released, 1);
}

TEST_F(Http2, connection_half_closed_releases_every_call) {
  open();
  client->post(kChat, "{}");
  client->connection.end();
  EXPECT_EQ(host.calls.front().released, 1);
  EXPECT_TRUE(client->connection.closed);
}

TEST_F(Http2, form_is_read_as_it_comes_and_its_window_opens_then) {
  open();
  const std::string first(1000, 'a');
  const std::int32_t id = client->request(post_fields(kFormType), &first, true);
  ASSERT_EQ(host.calls.size(), 1U);
  FakeCall& call = host.calls.front();
  ASSERT_NE(call.rest, nullptr);
  EXPECT_EQ(call.content_type, kFormType.front().second);
  client->send_body(id, std::string(400'000, 'b'), true);
  EXPECT_EQ(client->window_for(id), 0) << "256 KiB wait, no more";
  std::string all = call.body;
  while (all.size() < 401'000) {
    const std::size_t before = all.size();
    EXPECT_EQ(call.read_all(all), BP_READ_WAIT);
    client->pump();
    ASSERT_GT(all.size(), before);
  }
  client->send_body(id, "end", false);
  EXPECT_GT(call.woken, 0);
  EXPECT_EQ(call.read_all(all), BP_READ_END);
  EXPECT_EQ(all, first + std::string(400'000, 'b') + "end");
}

// There are clients that lose the answer when a reset comes along with it.
TEST_F(Http2, form_answered_early_may_still_come_for_a_while) {
  open();
  const std::string first = "abc";
  const std::int32_t id = client->request(post_fields(kFormType), &first, true);
  host.calls.front().head(0);
  host.calls.front().error({Code::kInvalidArgument, "no", {}, 0, 0});
  client->pump();
  EXPECT_EQ(client->answer(id).status, "400");
  EXPECT_TRUE(client->answer(id).ended);
  EXPECT_FALSE(client->answer(id).reset);
  client->send_body(id, std::string(900'000, 'a'), true);
  EXPECT_FALSE(client->answer(id).reset);
  client->send_body(id, std::string(300'000, 'a'), true);
  EXPECT_EQ(client->answer(id).reset, NGHTTP2_NO_ERROR);
  EXPECT_EQ(host.calls.front().released, 1);
}

TEST_F(Http2, form_answered_early_is_cut_short_in_the_end) {
  open();
  host.begin_error = {Code::kNotFound, "no", {}, 0, 0};
  const std::string first = "abc";
  const std::int32_t id = client->request(post_fields(kFormType), &first, true);
  EXPECT_EQ(client->answer(id).status, "404");
  EXPECT_FALSE(client->answer(id).reset);
  host.monotonic_ns += 3'000'000'000;
  client->connection.time_out();
  client->pump();
  EXPECT_EQ(client->answer(id).reset, NGHTTP2_NO_ERROR);
}

TEST_F(Http2, form_in_drops_is_too_slow_though_each_is_read_at_once) {
  open(R"({"listen":"x:0","body_timeout_ms":1000,"min_body_rate":1000})");
  const std::string drop = "a";
  const std::int32_t id = client->request(post_fields(kFormType), &drop, true);
  FakeCall& call = host.calls.front();
  std::string all;
  for (int i = 0; i < 4 && call.released == 0; ++i) {
    EXPECT_EQ(call.read_all(all), BP_READ_WAIT);
    host.monotonic_ns += 900'000'000;
    client->connection.time_out();
    client->send_body(id, drop, true);
  }
  EXPECT_EQ(client->answer(id).status, "408");
}

TEST_F(Http2, form_that_waits_to_be_read_is_not_too_slow) {
  open(R"({"listen":"x:0","body_timeout_ms":1000,"min_body_rate":1000})");
  const std::string much(400'000, 'a');
  const std::int32_t id = client->request(post_fields(kFormType), &much, true);
  FakeCall& call = host.calls.front();
  host.monotonic_ns += 900'000'000'000;
  client->connection.time_out();
  std::string all;
  EXPECT_EQ(call.read_all(all), BP_READ_WAIT);
  client->connection.time_out();
  client->pump();
  EXPECT_EQ(client->answer(id).status, "");
}

TEST_F(Http2, form_whose_client_goes_has_failed) {
  open();
  const std::string first = "abc";
  const std::int32_t id = client->request(post_fields(kFormType), &first, true);
  client->reset(id);
  EXPECT_EQ(host.calls.front().released, 1);
}

TEST_F(Http2, body_beyond_the_bound_is_refused) {
  open(R"({"listen":"x:0","max_body_bytes":1024})");
  const std::string big(1025, 'a');
  for (const bool told : {false, true}) {
    for (const char* path : {kChat, kForm}) {
      SCOPED_TRACE(std::string(path) + (told ? " told" : ""));
      Fields more;
      if (path == kForm) more = kFormType;
      if (told) more.emplace_back("content-length", "1025");
      const std::int32_t id = client->post(path, big, more);
      EXPECT_EQ(client->answer(id).status, "413");
      EXPECT_TRUE(client->answer(id).ended);
    }
  }
  for (const FakeCall& call : host.calls) EXPECT_EQ(call.released, 1);
}

TEST_F(Http2, bodies_held_beyond_the_bound_are_refused) {
  open(R"({"listen":"x:0","max_held_body_bytes":1048576})");
  bp_connection& other = host.connect();
  other.data("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\na");
  const std::string large(300'000, 'a');
  EXPECT_EQ(client->answer(client->post(kChat, large)).status, "503");
  EXPECT_EQ(host.calls.size(), 0U);
  other.leave();
  client->post(kChat, large);
  EXPECT_EQ(host.calls.size(), 1U);
}

TEST_F(Http2, trailers_are_dropped) {
  open();
  const std::string body = "{}";
  const std::int32_t id = client->request(
      {{":method", "POST"}, {":scheme", "http"}, {":path", kChat}, {":authority", "a"}}, &body,
      true);
  client->send_trailer(id, {{"authorization", "late"}, {"x-checksum", "1"}});
  ASSERT_EQ(host.calls.size(), 1U);
  EXPECT_EQ(host.calls.front().body, "{}");
  EXPECT_EQ(host.calls.front().metadata.count("authorization"), 0U);
}

TEST_F(Http2, says_continue_before_the_body_comes) {
  open();
  const std::string nothing;
  const std::int32_t id = client->request(
      post_fields({{"content-type", kFormType.front().second}, {"expect", "100-continue"}}),
      &nothing, true);
  EXPECT_EQ(client->answer(id).interim, std::vector<std::string>{"100"});
}

TEST_F(Http2, preface_may_come_in_pieces) {
  host.start();
  bp_connection& connection = host.connect();
  const std::string bytes = std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") +
                            std::string("\0\0\0\4\0\0\0\0\0", 9) +
                            std::string("\0\0\x08\6\0\0\0\0\0pingpong", 17);
  for (const char& byte : bytes) connection.data({&byte, 1});
  EXPECT_NE(connection.output.find("pingpong"), std::string::npos);
}

TEST_F(Http2, is_offered_in_tls_unless_switched_off) {
  host.start();
  EXPECT_EQ(host.alpn, "h2,http/1.1");
  FakeHost other;
  other.start(R"({"listen":"x:0","http2":false,"proxy_protocol":true,"min_write_rate":7})");
  EXPECT_EQ(other.alpn, "http/1.1");
  EXPECT_EQ(other.listened.flags, BP_LISTEN_PROXY_PROTOCOL);
  EXPECT_EQ(other.listened.write_bytes_per_second_min, 7U);
}

}  // namespace
}  // namespace backplane::test

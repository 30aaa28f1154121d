// SPDX-License-Identifier: Apache-2.0
// Whole answers in gzip: when, and that they are what they were.
#include "fake_host.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace backplane::test {
namespace {

constexpr std::string_view kSettings = R"({"listen":"x:0","compress_min_bytes":1024})";

std::string unpack(std::string_view packed) {
  std::string plain(1 << 20, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  const int result = inflate(&stream, Z_FINISH);
  plain.resize(plain.size() - stream.avail_out);
  inflateEnd(&stream);
  EXPECT_EQ(result, Z_STREAM_END);
  return plain;
}

struct Answer {
  std::string head, body;
  bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

Answer ask(FakeHost& host, std::string_view request) {
  bp_connection& connection = host.connect();
  connection.data(request);
  const std::string output = connection.take();
  const std::size_t end = output.find("\r\n\r\n") + 4;
  return {output.substr(0, end), output.substr(end)};
}

std::string get(std::string_view accept) {
  return "GET /v1/models HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + std::string(accept) +
         "\r\n\r\n";
}

struct Negotiation {
  const char* accept;
  bool packed;
};

const Negotiation kNegotiations[] = {
    {"gzip", true},
    {"br, GZIP;q=0.5", true},
    {"*", true},
    {"identity;q=0, gzip;q=0.1", true},
    {"deflate, x-gzip ; q=1.000", true},
    {"", false},
    {"br", false},
    {"gzip;q=0", false},
    {"gzip;q=0, *", false},
    {"gzip;q=0.5, identity", false},
    {"gzip;q=x", false},
    {"gzip;level=9", false},
    {",,;q=1,", false},
};

TEST(Compression, is_negotiated) {
  FakeHost host;
  host.models = '"' + std::string(2000, 'a') + '"';
  host.start(kSettings);
  const std::string plain = R"({"object":"list","data":)" + host.models + "}";
  for (const Negotiation& each : kNegotiations) {
    SCOPED_TRACE(each.accept);
    const Answer answer = ask(host, get(each.accept));
    EXPECT_TRUE(answer.has("vary: accept-encoding\r\n"));
    EXPECT_EQ(answer.has("content-encoding: gzip\r\n"), each.packed);
    EXPECT_TRUE(answer.has("content-length: " + std::to_string(answer.body.size()) + "\r\n"));
    EXPECT_EQ(each.packed ? unpack(answer.body) : answer.body, plain);
  }
}

TEST(Compression, leaves_small_answers_unless_nothing_else_is_taken) {
  FakeHost host;
  host.start(kSettings);
  EXPECT_FALSE(ask(host, get("gzip")).has("content-encoding"));
  EXPECT_TRUE(ask(host, get("gzip, identity;q=0")).has("content-encoding: gzip\r\n"));
}

TEST(Compression, is_off_unless_asked_for) {
  FakeHost host;
  host.models = '"' + std::string(2000, 'a') + '"';
  host.start();
  const Answer answer = ask(host, get("gzip"));
  EXPECT_FALSE(answer.has("content-encoding"));
  EXPECT_FALSE(answer.has("vary"));
}

TEST(Compression, of_a_call_and_never_of_its_stream) {
  FakeHost host;
  host.start(kSettings);
  bp_connection& connection = host.connect();
  for (const bool stream : {false, true}) {
    connection.data(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n"
        "Content-Length: 2\r\n\r\n{}");
    FakeCall& call = host.calls.back();
    call.head(stream ? BP_REQUEST_STREAM : 0);
    call.text(std::string(5000, 'a'));
    call.end();
    const std::string output = connection.take();
    EXPECT_EQ(output.find("content-encoding: gzip\r\n") == std::string::npos, stream);
    EXPECT_EQ(output.size() > 5000, stream);
  }
}

}  // namespace
}  // namespace backplane::test

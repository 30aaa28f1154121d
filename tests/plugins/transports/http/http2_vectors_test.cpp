// SPDX-License-Identifier: Apache-2.0
// Runs conformance vectors for HTTP/2 where they are present: raw frames with a verdict each.
#include "base64.hpp"
#include "fake_host.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <boost/json.hpp>

#include <fstream>
#include <set>
#include <sstream>

namespace backplane::test {
namespace {

namespace json = boost::json;

constexpr std::string_view kVectors = "/harness/conformance/data/dev/h2/vectors.json";
constexpr std::size_t kMaxBytes = 2 << 20;
constexpr std::size_t kReadBytes = 16384;

std::string unzip(std::string_view packed) {
  std::string plain(kMaxBytes, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(plain.size() - stream.avail_out);
  inflateEnd(&stream);
  return plain;
}

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

struct Seen {
  std::set<std::int64_t> answered;  // streams
  std::set<std::int64_t> codes;     // of GOAWAY and RST_STREAM
  int settings_acks = 0;
  bool goaway = false;
  bool pong = false;
  bool ended = false;
};

Seen read(std::string_view output) {
  constexpr std::size_t kHeader = 9;
  Seen seen;
  while (output.size() >= kHeader) {
    const std::size_t size = number(output.substr(0, 3));
    const int type = output[3];
    const bool ack = (output[4] & 1) != 0;
    const std::string_view payload = output.substr(kHeader, size);
    if (type == 1) seen.answered.insert(number(output.substr(5, 4)));
    if (type == 3) seen.codes.insert(number(payload));
    if (type == 4 && ack) ++seen.settings_acks;
    if (type == 6 && ack && payload == "12345678") seen.pong = true;
    if (type == 7) {
      seen.goaway = true;
      seen.codes.insert(number(payload.substr(4, 4)));
    }
    output.remove_prefix(std::min(output.size(), kHeader + size));
  }
  return seen;
}

Seen run(FakeHost& host, const json::object& vector) {
  bp_connection& connection = host.connect();
  const auto bytes = [&](const char* name) {
    return decode_base64(std::string(vector.at(name).as_string()));
  };
  std::string input;
  if (vector.contains("raw")) {
    input = bytes("raw");
  } else {
    input = std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") +
            std::string("\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18);
    input += vector.contains("gz") ? unzip(bytes("bytes")) : bytes("bytes");
  }
  for (std::size_t at = 0; at < input.size(); at += kReadBytes) {
    connection.data(std::string_view(input).substr(at, kReadBytes));
  }
  Seen seen = read(connection.output);
  seen.ended = connection.closed || connection.aborted;
  connection.leave();
  return seen;
}

void judge(const json::object& vector, const Seen& seen) {
  const std::string expect(vector.at("expect").as_string());
  bool right_code = false;
  for (const json::value& code : vector.at("codes").as_array()) {
    right_code = right_code || seen.codes.count(code.as_int64()) != 0;
  }
  if (expect == "headers") {
    EXPECT_EQ(seen.answered.count(vector.at("stream").as_int64()), 1U);
  } else if (expect == "ping") {
    EXPECT_TRUE(seen.pong);
  } else if (expect == "settings_ack") {
    EXPECT_GE(seen.settings_acks, 2);
  } else if (expect == "closed") {
    EXPECT_TRUE(seen.ended);
  } else if (expect == "goaway") {
    EXPECT_TRUE(seen.goaway || vector.contains("lax"));
    EXPECT_TRUE(right_code || vector.contains("lax"));
    EXPECT_EQ(seen.ended, seen.goaway) << "a connection error ends the connection";
  } else if (expect == "either") {
    EXPECT_TRUE(right_code || vector.contains("lax"));
  }
}

TEST(Vectors, of_http_2_are_judged_right) {
  std::ifstream file(std::string(BACKPLANE_SHARED_DIR) + std::string(kVectors));
  if (!file) GTEST_SKIP() << "no vectors under " << BACKPLANE_SHARED_DIR;
  std::stringstream text;
  text << file.rdbuf();
  FakeHost host;
  host.start();
  const json::value vectors = json::parse(text.str());
  for (const json::value& vector : vectors.as_array()) {
    SCOPED_TRACE(std::string(vector.as_object().at("id").as_string()));
    judge(vector.as_object(), run(host, vector.as_object()));
    for (const FakeCall& call : host.calls) EXPECT_EQ(call.released, 1);
    host.calls.clear();
  }
}

}  // namespace
}  // namespace backplane::test

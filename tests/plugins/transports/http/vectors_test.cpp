// SPDX-License-Identifier: Apache-2.0
// Runs conformance vectors for HTTP/1.1 where they are present: raw requests with a verdict each.
#include "base64.hpp"
#include "fake_host.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <fstream>
#include <sstream>

namespace backplane::test {
namespace {

namespace json = boost::json;

constexpr std::string_view kVectors = "/harness/conformance/data/dev/h1/vectors.json";
constexpr std::string_view kBody = R"({"model":"m","input":"x"})";

std::string hex(std::size_t number) {
  std::ostringstream text;
  text << std::hex << number;
  return text.str();
}

// What stands for {{name}} in a vector.
std::string value_of(const std::string& name) {
  const std::string body(kBody);
  const std::string first = body.substr(0, body.size() / 2);
  const std::string second = body.substr(body.size() / 2);
  if (name == "GET") return "/v1/models";
  if (name == "POST") return "/v1/embeddings";
  if (name == "HOST") return "127.0.0.1:8080";
  if (name == "B") return body;
  if (name == "B1") return first;
  if (name == "B2") return second;
  if (name == "BLEN") return std::to_string(body.size());
  if (name == "BLEN+1") return std::to_string(body.size() + 1);
  if (name == "BHEX") return hex(body.size());
  if (name == "B1HEX") return hex(first.size());
  if (name == "B2HEX") return hex(second.size());
  return "";
}

std::string repeat(const std::string& name) {
  std::size_t end = 0;
  const int times = std::stoi(name.substr(4), &end);
  const std::string piece = name.substr(4 + end + 1);
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

std::string fill(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t open = text.find("{{"); open != std::string::npos; open = text.find("{{", at)) {
    const std::size_t close = text.find("}}", open);
    const std::string name = text.substr(open + 2, close - open - 2);
    out += text.substr(at, open - at);
    out += name.substr(0, 4) == "REP " ? repeat(name) : value_of(name);
    at = close + 2;
  }
  return out + text.substr(at);
}

struct Seen {
  std::vector<int> statuses;
  bool ended = false;  // before any timeout
};

Seen run(FakeHost& host, const json::object& vector) {
  const json::value* raw = vector.if_contains("raw");
  const std::string bytes =
      fill(raw != nullptr ? std::string(raw->as_string())
                          : decode_base64(std::string(vector.at("raw_b64").as_string())));
  bp_connection& connection = host.connect();
  constexpr std::size_t kReadBytes = 16384;
  for (std::size_t at = 0; at < bytes.size(); at += kReadBytes) {
    connection.data(std::string_view(bytes).substr(at, kReadBytes));
    while (!host.calls.empty() && host.calls.back().released == 0) {
      FakeCall& call = host.calls.back();
      call.head(0);
      call.body_bytes("{}", "application/json");
      call.end();
    }
  }
  if (vector.contains("fin")) connection.end();
  const bool ended = connection.closed || connection.aborted;
  if (!ended) connection.time_out();
  const std::string output = connection.take();
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  Seen seen;
  for (std::size_t at = output.find(kVersion); at != std::string::npos;
       at = output.find(kVersion, at + 1)) {
    seen.statuses.push_back(std::stoi(output.substr(at + kVersion.size(), 3)));
  }
  seen.ended = ended;
  connection.leave();
  host.calls.clear();
  return seen;
}

void judge(const json::object& vector, const Seen& seen) {
  const std::string expect(vector.at("expect").as_string());
  std::size_t answers = 0;
  int last = 0;
  for (const int status : seen.statuses) {
    if (status >= 200) ++answers;
    if (status >= 200) last = status;
  }
  if (const json::value* most = vector.if_contains("max")) {
    EXPECT_LE(answers, static_cast<std::size_t>(most->as_int64()));
  }
  if (expect == "accept") {
    const json::value* wanted = vector.if_contains("responses");
    EXPECT_EQ(answers, static_cast<std::size_t>(wanted == nullptr ? 1 : wanted->as_int64()));
    EXPECT_EQ(last, 200);
  }
  if (expect == "reject") {
    EXPECT_TRUE(last >= 400 || answers == 0) << last;
    EXPECT_TRUE(answers > 0 || vector.contains("quiet"));
    EXPECT_TRUE(seen.ended || vector.contains("keep") || vector.contains("quiet"));
  }
  if (vector.contains("not2xx")) {
    EXPECT_NE(last / 100, 2);
  }
}

TEST(Vectors, of_http_1_are_judged_right) {
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
  }
}

}  // namespace
}  // namespace backplane::test

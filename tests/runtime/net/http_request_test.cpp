// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_request.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/net/http.hpp"

namespace backplane {
namespace {

bp_str str(std::string_view text) {
  return {text.data(), text.size()};
}

struct Request {
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> body;
  const bp_body_stream* stream = nullptr;
};

Result<std::string> head_of(const Request& request, const char* address = "http://h:81/p?q") {
  std::vector<bp_pair> headers;
  for (const auto& [name, value] : request.headers) headers.push_back({str(name), str(value)});
  std::vector<bp_str> body;
  for (const auto& piece : request.body) body.push_back(str(piece));
  bp_http_request raw{};
  raw.struct_size = sizeof(raw);
  raw.method = str(request.method);
  raw.headers = headers.data();
  raw.header_count = headers.size();
  raw.body = body.data();
  raw.body_count = body.size();
  raw.body_stream = request.stream;
  std::string head;
  const Status status = write_head(raw, *parse_url(address), head);
  if (!status) return status.error();
  return head;
}

TEST(RequestHead, IsWrittenAsGiven) {
  EXPECT_EQ(*head_of({}), "GET /p?q HTTP/1.1\r\nHost: h:81\r\n\r\n");
  EXPECT_EQ(*head_of({}, "http://h"), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(*head_of({}, "http://h?a"), "GET /?a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(*head_of({"POST", {{"X-A", "1"}, {"x-b", ""}}, {"abc", "de"}}, "http://h/"),
            "POST / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-b: \r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(*head_of({"PUT", {}, {}}, "http://h/"),
            "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
}

TEST(RequestHead, SaysHowABodyOnItsWayIsFramed) {
  bp_body_stream stream{};
  stream.size = BP_SIZE_UNKNOWN;
  EXPECT_EQ(*head_of({"GET", {}, {"abc"}, &stream}, "http://h/"),
            "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  stream.size = 1'000'000'000'000;
  EXPECT_EQ(*head_of({"POST", {}, {"abc"}, &stream}, "http://h/"),
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000003\r\n\r\n");
  stream.size = BP_SIZE_UNKNOWN - 2;
  EXPECT_FALSE(head_of({"POST", {}, {"abc"}, &stream}));
}

TEST(RequestHead, RefusesWhatCannotBeSent) {
  const std::string zero("a\0b", 3);
  const std::string long_value(kRequestHeadMaxBytes, 'v');
  for (const Request& bad : std::vector<Request>{
           {"", {}, {}},
           {"GET /", {}, {}},
           {"CONNECT", {}, {}},
           {std::string(33, 'M'), {}, {}},
           {"GET", {{"", "v"}}, {}},
           {"GET", {{"a b", "v"}}, {}},
           {"GET", {{"a:", "v"}}, {}},
           {"GET", {{"a\r\nb", "v"}}, {}},
           {"GET", {{"a", "v\r\nX: y"}}, {}},
           {"GET", {{"a", "v\n"}}, {}},
           {"GET", {{"a", zero}}, {}},
           {"GET", {{"hOsT", "v"}}, {}},
           {"GET", {{"Content-Length", "1"}}, {}},
           {"GET", {{"Transfer-Encoding", "chunked"}}, {}},
           {"GET", {{"connection", "close"}}, {}},
           {"GET", {{"Expect", "100-continue"}}, {}},
           {"GET", {{"a", long_value}}, {}},
       }) {
    const auto head = head_of(bad);
    ASSERT_FALSE(head) << bad.method << (bad.headers.empty() ? "" : bad.headers[0].first);
    EXPECT_EQ(head.error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_url.hpp"

#include <gtest/gtest.h>

#include <string>

#include "runtime/net/http.hpp"

namespace backplane {
namespace {

struct Good {
  const char* text;
  bool tls;
  const char* host;
  std::uint16_t port;
  const char* authority;
  const char* target;
};

TEST(Url, IsTakenApart) {
  for (const Good& good : {
           Good{"http://a.example", false, "a.example", 80, "a.example", ""},
           Good{"HTTPS://A.example/x?y=/#z", true, "A.example", 443, "A.example", "/x?y=/"},
           Good{"https://h:8443?q", true, "h", 8443, "h:8443", "?q"},
           Good{"http://[::1]:81/v1/", false, "::1", 81, "[::1]:81", "/v1/"},
           Good{"http://[2001:db8::2]", false, "2001:db8::2", 80, "[2001:db8::2]", ""},
           Good{"http://127.0.0.1:65535#f", false, "127.0.0.1", 65535, "127.0.0.1:65535", ""},
           Good{"http://h_1-x/a@b:c", false, "h_1-x", 80, "h_1-x", "/a@b:c"},
       }) {
    const auto url = parse_url(good.text);
    ASSERT_TRUE(url) << good.text;
    EXPECT_EQ(url->tls, good.tls) << good.text;
    EXPECT_EQ(url->host, good.host) << good.text;
    EXPECT_EQ(url->port, good.port) << good.text;
    EXPECT_EQ(url->authority, good.authority) << good.text;
    EXPECT_EQ(url->target, good.target) << good.text;
  }
}

TEST(Url, IsRefusedWithoutBeingRepeated) {
  const std::string long_url = "http://h/" + std::string(kUrlMaxBytes, 'a');
  const std::string long_host = "http://" + std::string(254, 'a') + "/";
  const std::string zero("http://h/\0x", 11);
  for (const std::string& text : {std::string(),
                                  std::string("h/x"),
                                  std::string("ftp://h/"),
                                  std::string("http:/h"),
                                  std::string("http://"),
                                  std::string("http:///x"),
                                  std::string("http://:80/"),
                                  std::string("http://h:/"),
                                  std::string("http://h:0/"),
                                  std::string("http://h:65536/"),
                                  std::string("http://h:8x/"),
                                  std::string("http://user:secret@h/"),
                                  std::string("http://[::1/"),
                                  std::string("http://[::1]x/"),
                                  std::string("http://[h]/"),
                                  std::string("http://h h/"),
                                  std::string("http://h/a b"),
                                  std::string("http://h/\r\nX: y"),
                                  std::string("http://h/\xC3\xA4"),
                                  std::string("http://h%20/"),
                                  zero,
                                  long_url,
                                  long_host}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Code::kInvalidArgument);
    EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
    EXPECT_NE(url.error().message.find("https://host[:port]/path?query"), std::string::npos);
  }
}

}  // namespace
}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/proxy_header.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/runtime/net/proxy_bytes.hpp"

namespace backplane {
namespace {

using testing::proxy_header;
using testing::tcp4_addresses;

const std::string kTcp6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                          std::string(15, '\0') + "\x02" + std::string("\x1f\x90\x00\x50", 4);
const std::string kUnix = std::string("/run/client") + std::string(205, '\0');
const std::string kTlv("\x04\x00\x02xy", 5);

struct Case {
  const char* name;
  std::string bytes;
  ProxyVerdict verdict;
  const char* source;
};

TEST(ProxyHeader, TellsWhomItNames) {
  const Case cases[] = {
      {"IPv4", proxy_header(0x21, 0x11, tcp4_addresses()), ProxyVerdict::kProxied,
       "192.0.2.7:40000"},
      {"with a TLV", proxy_header(0x21, 0x11, tcp4_addresses() + kTlv + kTlv),
       ProxyVerdict::kProxied, "192.0.2.7:40000"},
      {"IPv6", proxy_header(0x21, 0x21, kTcp6), ProxyVerdict::kProxied, "[2001:db8::1]:8080"},
      {"Unix", proxy_header(0x21, 0x31, kUnix + kTlv), ProxyVerdict::kProxied, "unix:"},
      {"unspecified", proxy_header(0x21, 0x00, "whatever"), ProxyVerdict::kLocal, nullptr},
      {"local", proxy_header(0x20, 0x00, ""), ProxyVerdict::kLocal, nullptr},
      {"local with an address", proxy_header(0x20, 0x11, tcp4_addresses()), ProxyVerdict::kLocal,
       nullptr},
      {"the longest", proxy_header(0x20, 0x00, std::string(520, 'x')), ProxyVerdict::kLocal,
       nullptr},
  };
  for (const Case& each : cases) {
    const std::string behind = each.bytes + "GET / HTTP/1.1\r\n";
    const ProxyHeader header = read_proxy_header(behind);
    ASSERT_EQ(header.verdict, each.verdict) << each.name;
    EXPECT_EQ(header.size, each.bytes.size()) << each.name;
    EXPECT_TRUE(each.source == nullptr || text_of(header.source) == each.source) << each.name;
    for (std::size_t size = 0; size < each.bytes.size(); ++size) {
      EXPECT_EQ(read_proxy_header(behind.substr(0, size)).verdict, ProxyVerdict::kNeedMore)
          << each.name << " cut at " << size;
    }
  }
}

TEST(ProxyHeader, RefusesEverythingElse) {
  const std::string good = proxy_header(0x21, 0x11, tcp4_addresses());
  const auto with = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return bytes;
  };
  const Case cases[] = {
      {"version 1", "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n", {}, nullptr},
      {"HTTP", "GET / HTTP/1.1\r\n\r\n", {}, nullptr},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01", 6), {}, nullptr},
      {"the first byte", "x", {}, nullptr},
      {"the signature's last byte", with(11, 'x'), {}, nullptr},
      {"version 3", with(12, 0x31), {}, nullptr},
      {"version 1 in binary", with(12, 0x11), {}, nullptr},
      {"command 2", with(12, 0x22), {}, nullptr},
      {"UDP", with(13, 0x12), {}, nullptr},
      {"family 4", with(13, 0x41), {}, nullptr},
      {"family without transport", with(13, 0x10), {}, nullptr},
      {"transport without family", with(13, 0x01), {}, nullptr},
      {"IPv6 in the room of IPv4", with(13, 0x21), {}, nullptr},
      {"Unix in the room of IPv4", with(13, 0x31), {}, nullptr},
      {"an address too short", proxy_header(0x21, 0x11, tcp4_addresses().substr(1)), {}, nullptr},
      {"no address", proxy_header(0x21, 0x11, ""), {}, nullptr},
      {"half a TLV", proxy_header(0x21, 0x11, tcp4_addresses() + "\x04"), {}, nullptr},
      {"a TLV beyond the end",
       proxy_header(0x21, 0x11, tcp4_addresses() + kTlv.substr(0, 4)),
       {},
       nullptr},
      {"too long", proxy_header(0x20, 0x00, std::string(521, 'x')), {}, nullptr},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(read_proxy_header(each.bytes).verdict, ProxyVerdict::kMalformed) << each.name;
  }
  // What is too long is refused before it has come.
  EXPECT_EQ(read_proxy_header(with(14, 0x7f).substr(0, 16)).verdict, ProxyVerdict::kMalformed);
}

TEST(ProxyHeader, NeverReadsBeyondWhatItWasGiven) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = proxy_header(0x21, 0x11, tcp4_addresses() + kTlv);
    for (int changes = static_cast<int>(random() % 4); changes > 0; --changes) {
      bytes[12 + random() % (bytes.size() - 12)] = static_cast<char>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    bytes.shrink_to_fit();
    const ProxyHeader header = read_proxy_header(bytes);
    if (header.verdict == ProxyVerdict::kProxied || header.verdict == ProxyVerdict::kLocal) {
      EXPECT_LE(header.size, bytes.size());
    }
  }
}

}  // namespace
}  // namespace backplane

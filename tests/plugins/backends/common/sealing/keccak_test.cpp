// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/keccak.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealing {
namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string digest_of(std::string_view text) {
  return hex(keccak256(std::vector<std::uint8_t>(text.begin(), text.end())));
}

TEST(Keccak256, GivesTheKnownDigests) {
  EXPECT_EQ(digest_of(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(digest_of("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  EXPECT_EQ(digest_of("The quick brown fox jumps over the lazy dog"),
            "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
}

struct LengthCase {
  std::size_t length;
  std::string_view digest;
};

TEST(Keccak256, PadsAtTheEdgesOfBlocks) {
  constexpr LengthCase kCases[] = {
      {0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
      {1, "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"},
      {135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62"},
      {136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e"},
      {137, "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db"},
      {271, "27eceb59ebc3dc8a04a5b135be641591a7278540e4556a2ba9f408194e666ec3"},
      {272, "8e2476e65823b24d96ebe239f2c1534cdf763e689e2410c3b1cb0c74e6177bfc"},
      {1000, "af692982e84a5a9688359025660a7857cd28ee7c8d867cfa1677baf2e6d1f63b"},
  };
  for (const LengthCase& each : kCases) {
    std::vector<std::uint8_t> data(each.length);
    for (std::size_t at = 0; at < data.size(); ++at) {
      data[at] = static_cast<std::uint8_t>(at % 251);
    }
    EXPECT_EQ(hex(keccak256(data)), each.digest) << each.length;
  }
}

TEST(EthereumAddress, IsTheEndOfTheDigestOfThePoint) {
  // The secp256k1 generator, the public key of the private key 1.
  const std::array<std::uint8_t, 64> generator = {
      0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce,
      0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2,
      0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98, 0x48, 0x3a, 0xda, 0x77, 0x26, 0xa3, 0xc4,
      0x65, 0x5d, 0xa4, 0xfb, 0xfc, 0x0e, 0x11, 0x08, 0xa8, 0xfd, 0x17, 0xb4, 0x48,
      0xa6, 0x85, 0x54, 0x19, 0x9c, 0x47, 0xd0, 0x8f, 0xfb, 0x10, 0xd4, 0xb8};
  EXPECT_EQ(hex(ethereum_address(generator)), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
}

}  // namespace
}  // namespace backplane::sealing

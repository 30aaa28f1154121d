// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/keys.hpp"

#include <gtest/gtest.h>

#include <string>

#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

constexpr Curve kCurves[] = {Curve::kSecp256k1, Curve::kX25519, Curve::kEd25519};

TEST(Keys, TwoSidesAgree) {
  for (const Curve curve : kCurves) {
    const Result<KeyPair> recipient = KeyPair::generate(curve);
    const Result<KeyPair> one_time = KeyPair::generate(exchange_curve(curve));
    ASSERT_TRUE(recipient && one_time);
    const auto sent = one_time->agree(recipient->public_key().exchange_bytes());
    const auto received = recipient->agree(one_time->public_key().bytes());
    ASSERT_TRUE(sent && received);
    EXPECT_EQ(to_hex(sent->bytes()), to_hex(received->bytes()));
    const auto other = KeyPair::generate(curve)->agree(one_time->public_key().bytes());
    EXPECT_NE(to_hex(other->bytes()), to_hex(sent->bytes()));
  }
}

TEST(Keys, AreDifferentEachTime) {
  for (const Curve curve : kCurves) {
    EXPECT_NE(testing::public_hex(*KeyPair::generate(curve)),
              testing::public_hex(*KeyPair::generate(curve)));
  }
}

TEST(Keys, AreReadByTheirLength) {
  const std::string full = testing::public_hex(testing::key_pair(Curve::kSecp256k1, 9));
  for (const std::string& text : {full, full.substr(2), "0x" + full, "0x" + full.substr(2)}) {
    const auto key = PublicKey::parse(Curve::kSecp256k1, text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(to_hex(key->bytes()), full);
  }
}

// 128 digits of which the first two are those of the form with a leading byte.
TEST(Keys, WithoutTheLeadingByteMayBeginAsThoseWithIt) {
  const std::string beginning_with_04 =
      "04125837c89e9573ba8f7b8454d5ac6287685d21a6a1cf6b848301e2b983c52ebee6d52fc711da861af0c11806fb"
      "7c8754439508a4ddee542a6975a7ec7cb1da";
  const auto key = PublicKey::parse(Curve::kSecp256k1, beginning_with_04);
  ASSERT_TRUE(key);
  EXPECT_EQ(to_hex(key->bytes()), "04" + beginning_with_04);
}

TEST(Keys, ThatAreNoneAreRefused) {
  const std::string full = testing::public_hex(testing::key_pair(Curve::kSecp256k1, 9));
  const std::string off_curve = full.substr(0, 129) + (full.back() == '0' ? '1' : '0');
  const std::string zero(64, '0');
  const std::vector<std::pair<Curve, std::string>> cases{
      {Curve::kSecp256k1, ""},
      {Curve::kSecp256k1, "0x"},
      {Curve::kSecp256k1, full.substr(0, 129)},
      {Curve::kSecp256k1, full.substr(0, 126)},
      {Curve::kSecp256k1, full + "00"},
      {Curve::kSecp256k1, "02" + full.substr(2, 64)},  // compressed
      {Curve::kSecp256k1, "06" + full.substr(2)},      // hybrid
      {Curve::kSecp256k1, "07" + full.substr(2)},      // hybrid
      {Curve::kSecp256k1, off_curve},
      {Curve::kSecp256k1, "04" + zero + zero},
      {Curve::kSecp256k1, std::string(130, 'f')},
      {Curve::kSecp256k1, std::string(130, 'g')},
      {Curve::kX25519, std::string(62, '1')},
      {Curve::kX25519, std::string(66, '1')},
      {Curve::kEd25519, zero},                         // of order 4
      {Curve::kEd25519, "01" + std::string(62, '0')},  // the identity
      {Curve::kEd25519, "02" + std::string(62, '0')},  // no point
      {Curve::kEd25519, std::string(64, 'f')},         // no canonical number
  };
  for (const auto& [curve, text] : cases) {
    EXPECT_FALSE(PublicKey::parse(curve, text)) << text;
  }
}

TEST(Keys, DoNotAgreeWithPointsThatGiveTheSecretAway) {
  const KeyPair pair = testing::key_pair(Curve::kX25519, 5);
  EXPECT_FALSE(pair.agree(*from_hex(std::string(64, '0'))));
  EXPECT_FALSE(pair.agree(*from_hex("01" + std::string(62, '0'))));
  EXPECT_FALSE(pair.agree(*from_hex(std::string(62, '1'))));
}

TEST(Keys, OfSecp256k1AreBelowTheOrder) {
  EXPECT_FALSE(KeyPair::from_private(Curve::kSecp256k1, Secret<32>()));
  const auto order = from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  EXPECT_FALSE(KeyPair::from_private(Curve::kSecp256k1,
                                     Secret<32>(std::span<const std::uint8_t, 32>(*order))));
}

TEST(Secrets, AreWipedWhenMovedFrom) {
  Secret<32> first(std::span<const std::uint8_t, 32>(*from_hex(testing::private_hex(3))));
  const Secret<32> second = std::move(first);
  EXPECT_EQ(to_hex(first.bytes()), std::string(64, '0'));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(to_hex(second.bytes()), testing::private_hex(3));
}

// What is dropped is looked at where it lay, in storage that outlives it.
TEST(Secrets, AreWipedWhenDropped) {
  alignas(Secret<32>) std::array<std::uint8_t, sizeof(Secret<32>)> storage{};
  auto* secret = new (storage.data())
      Secret<32>(std::span<const std::uint8_t, 32>(*from_hex(testing::private_hex(3))));
  EXPECT_EQ(storage[31], 3);
  secret->~Secret();
  EXPECT_EQ(to_hex(storage), std::string(64, '0'));
}

}  // namespace
}  // namespace backplane::sealing

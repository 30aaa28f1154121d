// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/sealed_box.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

class SealedBox : public ::testing::TestWithParam<const Variant*> {
 protected:
  const BoxScheme& scheme() const { return GetParam()->box; }
  std::string seal(std::string_view text, std::string_view bound = "bound") const {
    const auto recipient = PublicKey::from_bytes(
        scheme().curve, testing::key_pair(scheme().curve, 9).public_key().bytes());
    return *seal_box(scheme(), *recipient, text, bound);
  }
  BoxOpener opener(std::uint8_t key = 9) const {
    return {scheme(), testing::key_pair(scheme().curve, key)};
  }
};

TEST_P(SealedBox, OpensWhatWasSealed) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  BoxOpener recipient = opener();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1000U, 100'000U}) {
    std::string text(size, '\0');
    for (char& letter : text) letter = static_cast<char>(random());
    const std::string sealed = seal(text);
    EXPECT_EQ(sealed.size(), box_min_digits(scheme()) + 2 * size);
    EXPECT_EQ(sealed.find_first_not_of("0123456789abcdef"), std::string::npos);
    const Result<std::string> opened = recipient.open(sealed, "bound");
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(*opened == text);
  }
}

TEST_P(SealedBox, IsAnotherEachTime) {
  std::set<std::string> keys;
  std::set<std::string> nonces;
  const std::size_t key_digits = 2 * public_bytes(scheme().curve);
  for (int i = 0; i < 8; ++i) {
    const std::string sealed = seal("the same");
    keys.insert(sealed.substr(0, key_digits));
    nonces.insert(sealed.substr(key_digits, 2 * nonce_bytes(scheme().cipher)));
  }
  EXPECT_EQ(keys.size(), 8U);
  EXPECT_EQ(nonces.size(), 8U);
}

TEST_P(SealedBox, DoesNotOpenWithAnyBitChanged) {
  const std::vector<std::uint8_t> sealed = *from_hex(seal("a short text"));
  BoxOpener recipient = opener();
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    std::vector<std::uint8_t> spoilt = sealed;
    spoilt[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const Result<std::string> opened = recipient.open(to_hex(spoilt), "bound");
    ASSERT_FALSE(opened) << "bit " << bit;
    EXPECT_EQ(opened.error().code, Code::kDataLoss);
    EXPECT_EQ(opened.error().http_status, 502U);
  }
  EXPECT_TRUE(recipient.open(to_hex(sealed), "bound"));
}

TEST_P(SealedBox, DoesNotOpenShortenedOrLengthened) {
  const std::string sealed = seal("a short text");
  BoxOpener recipient = opener();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(recipient.open(sealed.substr(0, size), "bound")) << size;
  }
  EXPECT_FALSE(recipient.open(sealed + "00", "bound"));
  EXPECT_FALSE(recipient.open("0x" + sealed, "bound"));
  EXPECT_FALSE(recipient.open(" " + sealed, "bound"));
}

TEST_P(SealedBox, DoesNotOpenForAnotherKeyOrPlace) {
  const std::string sealed = seal("a short text");
  EXPECT_FALSE(opener(8).open(sealed, "bound"));
  EXPECT_FALSE(opener().open(sealed, ""));
  EXPECT_FALSE(opener().open(sealed, "elsewhere"));
  EXPECT_TRUE(opener().open(sealed, "bound"));
}

TEST_P(SealedBox, IsNotOfAnotherVariant) {
  const std::string sealed = seal("a short text", "");
  for (const Variant* other : variants()) {
    const bool is_same = other->box.curve == scheme().curve &&
                         other->box.cipher == scheme().cipher &&
                         other->box.key_info == scheme().key_info;
    BoxOpener recipient(other->box, testing::key_pair(other->box.curve, 9));
    EXPECT_EQ(static_cast<bool>(recipient.open(sealed, "")), is_same) << other->name;
  }
}

// One sender for all of an answer, a new one for each piece, and a bad one in between.
TEST_P(SealedBox, OpensPiecesOfAnySender) {
  const auto recipient_key = PublicKey::from_bytes(
      scheme().curve, testing::key_pair(scheme().curve, 9).public_key().bytes());
  const KeyPair sender = testing::key_pair(exchange_curve(scheme().curve), 4);
  BoxOpener recipient = opener();
  for (std::uint8_t piece = 0; piece < 4; ++piece) {
    const std::vector<std::uint8_t> nonce(nonce_bytes(scheme().cipher), piece);
    const std::string text = "piece " + std::to_string(piece);
    const auto sealed = seal_box_with(scheme(), *recipient_key, text, "", sender, nonce);
    EXPECT_EQ(*recipient.open(*sealed, ""), text);
    EXPECT_FALSE(recipient.open(std::string(sealed->size(), '0'), ""));
    EXPECT_EQ(*recipient.open(seal("between", ""), ""), "between");
  }
}

TEST_P(SealedBox, SaysWhyAndQuotesNothing) {
  BoxOpener recipient = opener();
  const std::string secret = "my secret answer";
  const Result<std::string> opened = recipient.open(secret, "");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            "the provider's sealed text cannot be opened: it is not hexadecimal text, so it was "
            "not sealed");
}

INSTANTIATE_TEST_SUITE_P(Variants, SealedBox,
                         ::testing::ValuesIn(variants().begin(), variants().end()),
                         [](const auto& chosen) { return std::string(chosen.param->name); });

}  // namespace
}  // namespace backplane::sealing

// SPDX-License-Identifier: Apache-2.0
// Seals with known keys, against what each must be and what none may be. Skipped where the data are
// not at hand.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

namespace dom = simdjson::dom;
using testing::text_of;

// What a vector holds, under whatever names.
struct Vector {
  const Variant* variant;
  std::string recipient;
  std::string recipient_public;
  std::string one_time;
  std::string nonce;
  std::string associated_data;
  std::string plaintext;
  std::string sealed;
};

std::string first_of(dom::element entry, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string text = text_of(entry, name); !text.empty()) return text;
  }
  return {};
}

const Variant* variant_of(dom::element entry) {
  const std::string scheme = text_of(entry, "scheme");
  const std::string algo = text_of(entry, "algo");
  const auto is = [&](std::string_view words) { return scheme.find(words) != std::string::npos; };
  if (is("venice/near ecdsa") || is("key normalisation")) return &kVenice;
  if (is("X-Encryption-Version 2")) return &kNearV2;
  if (is("aci")) return algo.substr(0, 1) == "x" ? &kAciV2X25519 : &kAciV2Secp256k1;
  if (is("E2EE v1")) return algo == "ecdsa" ? &kNearV1 : &kDstackV1Ed25519;
  if (is("E2EE v2")) return algo == "ecdsa" ? &kDstackV2Ecdsa : &kDstackV2Ed25519;
  return nullptr;
}

Vector read_vector(dom::element entry) {
  return {variant_of(entry),
          first_of(entry, {"recipient_private", "recipient_ed25519_seed"}),
          first_of(entry, {"recipient_public", "recipient_public_128", "recipient_ed25519_public",
                           "recipient_public_as_sent"}),
          first_of(entry, {"ephemeral_private", "ephemeral_x25519_private"}),
          text_of(entry, "nonce"),
          text_of(entry, "aad"),
          text_of(entry, "plaintext"),
          text_of(entry, "ciphertext_hex")};
}

class SealVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto file = testing::kProviders / "vectors" / "e2ee_vectors.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no vectors";
    dom::parser parser;
    dom::array entries;
    ASSERT_EQ(parser.load(file.string())["vectors"].get(entries), simdjson::SUCCESS);
    for (const dom::element entry : entries) vectors_.push_back(read_vector(entry));
    EXPECT_GE(vectors_.size(), 35U);
  }
  std::vector<Vector> vectors_;
};

TEST_F(SealVectors, AreMadeAgainAndOpen) {
  for (const Vector& vector : vectors_) {
    ASSERT_NE(vector.variant, nullptr) << vector.sealed;
    SCOPED_TRACE(std::string(vector.variant->name) + " " + vector.sealed);
    const BoxScheme& scheme = vector.variant->box;
    const auto recipient = PublicKey::parse(scheme.curve, vector.recipient_public);
    ASSERT_TRUE(recipient) << recipient.error().message;
    const KeyPair one_time = testing::key_pair(exchange_curve(scheme.curve), vector.one_time);
    EXPECT_EQ(*seal_box_with(scheme, *recipient, vector.plaintext, vector.associated_data, one_time,
                             *from_hex(vector.nonce)),
              vector.sealed);
    BoxOpener opener(scheme, testing::key_pair(scheme.curve, vector.recipient));
    EXPECT_EQ(to_hex(opener.public_key().bytes()), to_hex(recipient->bytes()));
    const Result<std::string> opened = opener.open(vector.sealed, vector.associated_data);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, vector.plaintext);
  }
}

TEST_F(SealVectors, DoNotOpenWithAnyByteChangedOrMissing) {
  for (const Vector& vector : vectors_) {
    SCOPED_TRACE(std::string(vector.variant->name) + " " + vector.sealed);
    const BoxScheme& scheme = vector.variant->box;
    BoxOpener opener(scheme, testing::key_pair(scheme.curve, vector.recipient));
    for (std::size_t at = 0; at < vector.sealed.size(); at += 2) {
      std::vector<std::uint8_t> bytes = *from_hex(vector.sealed);
      bytes[at / 2] ^= 1;
      EXPECT_FALSE(opener.open(to_hex(bytes), vector.associated_data)) << "byte " << at / 2;
      EXPECT_FALSE(opener.open(vector.sealed.substr(0, at), vector.associated_data)) << at;
      EXPECT_FALSE(opener.open(vector.sealed.substr(0, at + 1), vector.associated_data)) << at;
    }
    EXPECT_TRUE(opener.open(vector.sealed, vector.associated_data));
    EXPECT_FALSE(opener.open(vector.sealed, vector.associated_data + "x"));
  }
}

// The documents of the protocol's authors, in which each line that begins so is one expected text.
TEST_F(SealVectors, BindToThePlacesThatAciNames) {
  const std::string page =
      testing::read_file(testing::kProviders / "vectors" / "aci_e2ee_v2_test_vectors.md");
  const std::string nonce = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  const Freshness freshness{nonce, 1'750'000'000};
  RequestPlace request;
  request.model = "demo-model";
  const std::string asked = request_associated_data(kAciV2X25519, freshness, request);
  EXPECT_NE(page.find('\n' + asked + '\n'), std::string::npos) << asked;
  ResponsePlace response;
  response.request_model = "demo-model";
  response.id = "chatcmpl-123";
  response.is_delta = false;
  response.field = "content";
  const std::string answered = response_associated_data(kAciV2X25519, freshness, response);
  EXPECT_NE(page.find('\n' + answered + '\n'), std::string::npos) << answered;
}

}  // namespace
}  // namespace backplane::sealing

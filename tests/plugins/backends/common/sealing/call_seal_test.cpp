// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/call_seal.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

using testing::Ends;
using Headers = std::map<std::string, std::string>;

Headers headers_of(const CallSeal& seal) {
  Headers headers;
  for (const dialect::Header& header : seal.headers()) headers[header.name] = header.value;
  return headers;
}

TEST(CallSeal, SendsTheHeadersOfItsVariant) {
  const std::string nonce(64, 'a');
  const std::map<std::string, Headers> expected{
      {"venice", {{"x-venice-tee-signing-algo", "ecdsa"}}},
      {"near_v1", {{"x-signing-algo", "ecdsa"}}},
      {"near_v2", {{"x-signing-algo", "ed25519"}, {"x-encryption-version", "2"}}},
      {"dstack_v1_ed25519", {{"x-signing-algo", "ed25519"}}},
      {"dstack_v2_ecdsa",
       {{"x-signing-algo", "ecdsa"},
        {"x-e2ee-version", "2"},
        {"x-e2ee-nonce", nonce},
        {"x-e2ee-timestamp", "1700000000"}}},
      {"dstack_v2_ed25519",
       {{"x-signing-algo", "ed25519"},
        {"x-e2ee-version", "2"},
        {"x-e2ee-nonce", nonce},
        {"x-e2ee-timestamp", "1700000000"}}},
      {"aci_v2_x25519",
       {{"x-e2ee-version", "2"}, {"x-e2ee-nonce", nonce}, {"x-e2ee-timestamp", "1700000000"}}},
      {"aci_v2_secp256k1",
       {{"x-e2ee-version", "2"}, {"x-e2ee-nonce", nonce}, {"x-e2ee-timestamp", "1700000000"}}}};
  for (const Variant* variant : variants()) {
    const Ends ends(*variant);
    Headers wanted = expected.at(std::string(variant->name));
    const std::string prefix = variant == &kVenice ? "x-venice-tee-" : "x-";
    wanted[prefix + "client-pub-key"] = ends.client_public;
    wanted[prefix + "model-pub-key"] = to_hex(ends.model.public_key().bytes());
    EXPECT_EQ(headers_of(ends.seal), wanted) << variant->name;
  }
}

TEST(CallSeal, NamesTheModelsKeyAsItWasAttested) {
  const std::string full = testing::public_hex(testing::key_pair(Curve::kSecp256k1, 9));
  for (const std::string& attested : {full, full.substr(2)}) {
    const auto seal = CallSeal::make(kVenice, attested, 1);
    ASSERT_TRUE(seal);
    EXPECT_EQ(headers_of(*seal).at("x-venice-tee-model-pub-key"), attested);
  }
  const auto seal = CallSeal::make(kAciV2Secp256k1, "0x" + full, 1);
  EXPECT_EQ(headers_of(*seal).at("x-model-pub-key"), full);
}

TEST(CallSeal, HasAKeyAndANonceOfItsOwn) {
  const std::string model = testing::public_hex(testing::key_pair(Curve::kX25519, 9));
  const Headers first = headers_of(*CallSeal::make(kAciV2X25519, model, 1));
  const Headers second = headers_of(*CallSeal::make(kAciV2X25519, model, 1));
  EXPECT_NE(first.at("x-client-pub-key"), second.at("x-client-pub-key"));
  EXPECT_NE(first.at("x-e2ee-nonce"), second.at("x-e2ee-nonce"));
  EXPECT_EQ(first.at("x-e2ee-nonce").size(), 64U);
}

TEST(CallSeal, NeedsAKeyOfItsCurve) {
  const auto seal = CallSeal::make(kVenice, std::string(64, '1'), 1);
  ASSERT_FALSE(seal);
  EXPECT_EQ(seal.error().message,
            "the model's attested key: the public key has 32 bytes; "
            "expected 65");
}

TEST(CallSeal, GoesToTheModelAndBack) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Ends ends(*variant);
    const RequestPlace asked{"a/b", 2, std::nullopt};
    EXPECT_EQ(*ends.read(asked, *ends.seal.seal(asked, "a question")), "a question");
    ResponsePlace answered;
    answered.request_model = "a/b";
    answered.field = "content";
    EXPECT_EQ(*ends.seal.open(answered, ends.answer(answered, "an answer")), "an answer");
    // The request is for the model's key alone, the answer for this call's alone.
    EXPECT_FALSE(ends.seal.open(answered, *ends.seal.seal(asked, "a question")));
    EXPECT_FALSE(ends.read(asked, ends.answer(answered, "an answer")));
  }
}

// A ciphertext that is moved does not open where the variant binds it to its place.
TEST(CallSeal, BindsEachTextToItsPlace) {
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Ends ends(*variant);
    const bool is_bound = variant->binding != Binding::kNone;
    const RequestPlace asked{"a/b", 2, std::nullopt};
    const std::string sealed = *ends.seal.seal(asked, "a question");
    EXPECT_NE(is_bound, bool(ends.read({"a/b", 1, std::nullopt}, sealed)));
    EXPECT_NE(is_bound, bool(ends.read({"a/b", 2, 0}, sealed)));
    EXPECT_NE(is_bound, bool(ends.read({"a/c", 2, std::nullopt}, sealed)));

    const ResponsePlace place{"a/b", "a/b-real", "chat-1", 1, 3, true, "content"};
    const std::string answer = ends.answer(place, "an answer");
    ResponsePlace moved = place;
    moved.field = "reasoning";
    EXPECT_NE(is_bound, bool(ends.seal.open(moved, answer)));
    moved = place;
    moved.id = "chat-2";
    EXPECT_NE(is_bound, bool(ends.seal.open(moved, answer)));
  }
}

TEST(AssociatedData, IsTheTextThatEachSideBuilds) {
  const Freshness freshness{"00ff", 17};
  const ResponsePlace place{"asked", "answered", "chat-1", 1, 3, true, "content"};
  ResponsePlace whole = place;
  whole.is_delta = false;
  whole.id = "";
  EXPECT_EQ(request_associated_data(kVenice, freshness, {"m", 0, 1}), "");
  EXPECT_EQ(response_associated_data(kNearV2, freshness, place), "");
  EXPECT_EQ(request_associated_data(kDstackV2Ecdsa, freshness, {"a|b", 4, std::nullopt}),
            "v2|req|algo=ecdsa|model=a|b|m=4|c=-|n=00ff|ts=17");
  EXPECT_EQ(request_associated_data(kDstackV2Ed25519, freshness, {"m", 4, 2}),
            "v2|req|algo=ed25519|model=m|m=4|c=2|n=00ff|ts=17");
  EXPECT_EQ(response_associated_data(kDstackV2Ecdsa, freshness, place),
            "v2|resp|algo=ecdsa|model=answered|id=chat-1|choice=1|field=content|n=00ff|ts=17");
  EXPECT_EQ(request_associated_data(kAciV2X25519, freshness, {"q\"\\\n\x01ü", 4, 2}),
            R"({"algo":"x25519-aes-256-gcm-hkdf-sha256","field":"messages.4.content.2.text",)"
            R"("model":"q\"\\\n\u0001ü","nonce":"00ff","purpose":"aci.e2ee.request.v2","ts":17})");
  EXPECT_EQ(response_associated_data(kAciV2Secp256k1, freshness, place),
            R"({"algo":"secp256k1-aes-256-gcm-hkdf-sha256","field":"choices.3.delta.content",)"
            R"("id":"chat-1","model":"asked","nonce":"00ff","purpose":"aci.e2ee.response.v2",)"
            R"("ts":17})");
  EXPECT_EQ(response_associated_data(kAciV2Secp256k1, freshness, whole),
            R"({"algo":"secp256k1-aes-256-gcm-hkdf-sha256","field":"choices.3.message.content",)"
            R"("id":"","model":"asked","nonce":"00ff","purpose":"aci.e2ee.response.v2","ts":17})");
}

TEST(Variants, AreFoundByName) {
  for (const Variant* variant : variants()) EXPECT_EQ(find_variant(variant->name), variant);
  EXPECT_EQ(find_variant("ed25519"), nullptr);
  EXPECT_EQ(find_variant(""), nullptr);
}

}  // namespace
}  // namespace backplane::sealing

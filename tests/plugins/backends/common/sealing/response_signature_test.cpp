// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/response_signature.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

#include "common/sealing/byte_hash.hpp"
#include "common/sealing/secp256k1.hpp"
#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

namespace dom = simdjson::dom;
using testing::text_of;

const std::string kRequestHash = sha256_hex("request");
const std::string kResponseHash = sha256_hex("response");
const std::string kText = kRequestHash + ':' + kResponseHash;

// Made by another implementation, by the key whose seed is 00 01 02 ...
const std::string kEd25519Key = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const std::string kEd25519Signature =
    "b4e3f0f2f8c16290a7ee0e43deb21a6242961ebe37f7df9eb8457d8a3be901b6"
    "1ae08f331069e4d86b53fff3afd6e5b2b491858ddbd3704aa77d7e48b335dc02";

// Likewise, by the key 11 11 11 ...
const std::string kEcdsaAddress = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a";
const std::string kEcdsaSignature =
    "0xe30506c396852736a67d54778f30858ed718c79610cac2244404159b82b5ce96"
    "610f9d04601fc2b3da9877ea745c161f3fe5265f18fb659626cc668051d1eb4e1b";

TEST(ByteHash, IsOfAllBytesHoweverTheyCome) {
  EXPECT_EQ(ByteHash().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  ByteHash hash;
  hash.add("a");
  EXPECT_EQ(hash.hex(), sha256_hex("a"));
  hash.add("");
  hash.add("bc");
  EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const ByteHash moved = std::move(hash);
  EXPECT_EQ(moved.hex(), sha256_hex("abc"));
}

TEST(ResponseSignature, HoldsForTheKeyThatMadeIt) {
  const Signer ed25519 = *parse_signer("ed25519", kEd25519Key);
  EXPECT_TRUE(check_signature({kText, kEd25519Signature, "", "ed25519"}, ed25519));
  EXPECT_TRUE(check_signature({kText, "0x" + kEd25519Signature, "", ""}, ed25519));
  const Signer ecdsa = *parse_signer("ecdsa", kEcdsaAddress);
  EXPECT_TRUE(check_signature({kText, kEcdsaSignature, "", "ecdsa"}, ecdsa));
  EXPECT_TRUE(check_signature({kText, kEcdsaSignature.substr(2), "", ""}, ecdsa));
}

void expect_refused(const ResponseSignature& signature, const Signer& signer) {
  const Status checked = check_signature(signature, signer);
  ASSERT_FALSE(checked) << signature.signature;
  EXPECT_EQ(checked.error().code, Code::kDataLoss);
}

TEST(ResponseSignature, DoesNotHoldWithAnyBitChanged) {
  const Signer ed25519 = *parse_signer("ed25519", kEd25519Key);
  const Signer ecdsa = *parse_signer("ecdsa", kEcdsaAddress);
  const auto spoil = [](const std::string& hex, std::size_t bit) {
    std::vector<std::uint8_t> bytes = *from_hex(without_hex_prefix(hex));
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    return to_hex(bytes);
  };
  for (std::size_t bit = 0; bit < 512; ++bit) {
    expect_refused({kText, spoil(kEd25519Signature, bit), "", ""}, ed25519);
  }
  for (std::size_t bit = 0; bit < 520; ++bit) {
    expect_refused({kText, spoil(kEcdsaSignature, bit), "", ""}, ecdsa);
  }
  for (std::size_t at = 0; at < kText.size(); ++at) {
    std::string text = kText;
    text[at] = static_cast<char>(text[at] ^ 1);
    expect_refused({text, kEd25519Signature, "", ""}, ed25519);
    expect_refused({text, kEcdsaSignature, "", ""}, ecdsa);
  }
}

TEST(ResponseSignature, DoesNotHoldForAnotherKeyOrForm) {
  const Signer ed25519 = *parse_signer("ed25519", kEd25519Key);
  const Signer ecdsa = *parse_signer("ecdsa", kEcdsaAddress);
  const Signer other = *parse_signer("ecdsa", "0x" + std::string(40, '1'));
  expect_refused({kText, kEcdsaSignature, kEcdsaAddress, "ecdsa"}, other);
  expect_refused({kText, kEcdsaSignature, "", "ecdsa"}, ed25519);
  expect_refused({kText, kEd25519Signature, "", "ecdsa"}, ed25519);
  expect_refused({kText, kEcdsaSignature + "00", "", ""}, ecdsa);
  expect_refused({kText, kEcdsaSignature.substr(0, 130), "", ""}, ecdsa);
  expect_refused({kText, "0x", "", ""}, ecdsa);
  expect_refused({kText, std::string(130, '0'), "", ""}, ecdsa);
  expect_refused({kText, std::string(130, 'f'), "", ""}, ecdsa);
}

// n - s with the other v recovers to the same key; taken, it would be a second signature.
TEST(ResponseSignature, IsRefusedWithAHighS) {
  const Signer ecdsa = *parse_signer("ecdsa", kEcdsaAddress);
  std::vector<std::uint8_t> bytes = *from_hex(without_hex_prefix(kEcdsaSignature));
  const auto order = *from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  int borrow = 0;
  for (int at = 31; at >= 0; --at) {
    const auto place = static_cast<std::size_t>(at);
    const int difference = order[place] - bytes[32 + place] - borrow;
    borrow = difference < 0 ? 1 : 0;
    bytes[32 + place] = static_cast<std::uint8_t>(difference + 256 * borrow);
  }
  bytes[64] = static_cast<std::uint8_t>(27 + 28 - bytes[64]);
  expect_refused({kText, to_hex(bytes), "", ""}, ecdsa);
}

TEST(ResponseSignature, IsReadFromItsDocument) {
  const auto read = read_response_signature(
      R"({"text":"a:b","signature":"0x12","signing_address":"0x3","signing_algo":"ecdsa","x":1})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text, "a:b");
  EXPECT_EQ(read->signature, "0x12");
  EXPECT_EQ(read->signing_address, "0x3");
  EXPECT_EQ(read->signing_algo, "ecdsa");
  for (const std::string_view bad :
       {"", "[]", "{", R"({"text":"a:b"})", R"({"signature":"0x12"})",
        R"({"text":1,"signature":"0x12"})", R"({"error":"Chat id not found or expired"})"}) {
    EXPECT_FALSE(read_response_signature(bad)) << bad;
  }
  EXPECT_FALSE(read_response_signature(std::string(kSignatureReplyMaxBytes + 1, ' ')));
}

TEST(SignedText, IsSplitFromTheRight) {
  const auto two = split_signed_text(kText);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->model, "");
  EXPECT_EQ(two->request_sha256, kRequestHash);
  EXPECT_EQ(two->response_sha256, kResponseHash);
  const std::vector<std::string> models{"a/b", "default:enable_web_search=on", ":", "a:" + kText};
  for (const std::string& model : models) {
    const auto three = split_signed_text(model + ':' + kText);
    ASSERT_TRUE(three) << model;
    EXPECT_EQ(three->model, model);
    EXPECT_EQ(three->request_sha256, kRequestHash);
  }
  for (const std::string& bad : {std::string(), std::string(":"), kRequestHash, kRequestHash + ':',
                                 ':' + kRequestHash, kText + ':', kText + " ", kText.substr(1)}) {
    EXPECT_FALSE(split_signed_text(bad)) << bad;
  }
}

TEST(SignedText, SpeaksOfTheBytesThatWereSentAndReceived) {
  const SignedHashes hashes = *split_signed_text(kText);
  EXPECT_TRUE(check_hashes(hashes, kRequestHash, kResponseHash));
  EXPECT_FALSE(check_hashes(hashes, kResponseHash, kResponseHash));
  EXPECT_FALSE(check_hashes(hashes, kRequestHash, kRequestHash));
  EXPECT_FALSE(check_hashes(hashes, "", ""));
}

// Real signatures, over real bytes where those were kept. Skipped where they are not at hand.
TEST(RecordedSignatures, HoldForTheirSigners) {
  const auto folder = testing::kProviders / "signatures";
  if (!std::filesystem::exists(folder / "MANIFEST.json")) GTEST_SKIP() << "no signatures";
  dom::parser parser;
  dom::array entries;
  ASSERT_EQ(parser.load((folder / "MANIFEST.json").string()).get(entries), simdjson::SUCCESS);
  std::size_t with_bytes = 0;
  for (const dom::element entry : entries) {
    SCOPED_TRACE(text_of(entry, "name"));
    const auto signature = read_response_signature(simdjson::minify(entry["signature_json"]));
    ASSERT_TRUE(signature) << signature.error().message;
    const auto signer = parse_signer("ecdsa", text_of(entry, "recovers_to"));
    EXPECT_TRUE(check_signature(*signature, *signer));
    EXPECT_TRUE(check_signature(*signature, *parse_signer("ecdsa", signature->signing_address)));
    const auto hashes = split_signed_text(signature->text);
    ASSERT_TRUE(hashes);
    const std::string request = text_of(entry, "request_file");
    if (request.empty()) continue;
    ++with_bytes;
    EXPECT_TRUE(
        check_hashes(*hashes, sha256_hex(testing::read_file(folder / request)),
                     sha256_hex(testing::read_file(folder / text_of(entry, "response_file")))));
  }
  EXPECT_GE(with_bytes, 1U);
}

}  // namespace
}  // namespace backplane::sealing

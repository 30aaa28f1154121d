// SPDX-License-Identifier: Apache-2.0
// Seals made by another implementation (Python's cryptography): the same keys, nonce and text give
// the same seal, and each opens.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

struct KnownBox {
  std::string_view variant;
  std::string_view recipient;  // private
  std::string_view recipient_public;
  std::string_view one_time;  // private
  std::string_view nonce;
  std::string_view associated_data;
  std::string_view plaintext;
  std::string_view sealed;
};

const std::vector<KnownBox> kBoxes{
    {"venice", "f05d9b66d1877dffb5d46f9ea92669ef4b6cd21db2d5ee3f47a7c7a9b066a6da",
     "040ec63c7c8ec116c6faf6a2fba5739acf8cdc15695b6b71e6ddfa1eb7d2e173d05c44195a6d36a8"
     "11532c4c6da40d049ae35d171bd631777cdc75d15d36d3f013",
     "d4a26dd0756814730984a3d739a97678edbb4567bcfc4886c6acabee5643a969", "213258024de078b375296491",
     "", "Good morning",
     "040fc8c88eabeeb3b046dc5659ff68a029d7c698e9d6a2ad8c47e66a6e24564a8882032fa1c53d67"
     "f965a3a71bcefd15ca8ead8f77a939cc0d6710a4d79c17f143213258024de078b375296491ccceb0"
     "41c661cdcd5318200322f65ad5ffddb197d8533c872655c3db"},
    {"near_v1", "7aec86f6dfd466249a9a8e458033fd6f64c65a72a3b517c1253c751c406b2c58",
     "049093decfd97a8e7a32a7e07c2370d07b9d879dc3313dce7db1ead9820939abf7cefd786f722d89"
     "fd3ee7e5eedd79c22108873c26b34d8573f8019141c3abf592",
     "78f954522c40350f375ca1003e8f0e5d1f356b6a61ec5ff2a08be8e06fcce5d6", "446b529fcb645bb6e9073dab",
     "", "",
     "04278ae85b6594e4439abb54e6d794d7285eba369028f9718bb4c4a9747a4b95e774be551c58346d"
     "293774755191c67545705920d99d2986f861a843c2f162d872446b529fcb645bb6e9073dab44f851"
     "23cdbab4da49c6c4fd7c32b645"},
    {"near_v2", "0172d6136dedfe19dcaa05ae82507337dc2244590cad9d81fd52b9eedefba751",
     "e4fc8989a3a24167674778d53dc879660f6f5c326ad31918a6e3c2450b5e0f94",
     "133e3dbad95c301bdf0d8b763ca2466c37dc3488de5176003f65c1d0e4587e95",
     "8db6e639cfcb90a27479b774d7ef9e9263ef1b81c26b86d3", "", "naïve",
     "e61e06a40aea78f40552667601486332a83ba415eabb8bd212d813ceb707be5b8db6e639cfcb90a2"
     "7479b774d7ef9e9263ef1b81c26b86d334b7b8fa68b6b6110517f957965371af8388312d70d3"},
    {"dstack_v1_ed25519", "44a191442f70ed8f977ec7905ef5ba0fc0204433d8a5612682108560de5562f1",
     "1c54d3964e9315fc19eec731cf471a252fee6c4be67d08ea8263c53bcab8098e",
     "8823ec3f338942c5327278549746c53742add3a8aa780a8ec3478857836f43db", "61404276810c38d8d711f34f",
     "", "Good morning",
     "df2cc753c3bdc58775f8a36a6355d19f2cffa2f44b9272c7c6a58e9575169e0b61404276810c38d8"
     "d711f34f8d8ad154a9519c29b299d05d36f77d0700a13b60a75f22778d0845ad"},
    {"dstack_v2_ecdsa", "8db8ecb195f6e510915fc4fdb8f8ba502189645de1eea703483ad81990292af5",
     "04db71637621029dce2053ad96489e70069ec19d5ff4a20517b402b619c096b85da99286e72bb48b"
     "90cdf7d9cedf7e8042391d0219135e232f32ea4ccabd7120e6",
     "ec6b77a09af9961c6cf27d9ea080a8144785b1b04d1bb207a1a1645f91e81951", "33f786c91bd3664444ba06e7",
     "v2|req|algo=ecdsa|model=a/b|m=3|c=-|n=0123456789abcdef|ts=1700000000", "Good morning",
     "042355ef4e3a59e13440ebefae0a138342bb552df9b5fdf07c4ce1a560919724bcfb2d608adae6dd"
     "f66e4049c8c15acfa20a64ac1cad76b927ac6f5abdd6b1442b33f786c91bd3664444ba06e7896869"
     "1c6d094b2b5a26ffbd5e22df3a727ad1b10fef02b125d79a8b"},
    {"dstack_v2_ed25519", "b8d47e3fafe6a703d3e267413bd1fdcafee77116e526893bbdb823a7f7f38cd0",
     "8792c483c5578ca54002a24289ab24fffb057f42d02d98cbc46aa487dfbb3683",
     "c08339097fdb534d6007078a1e36ab5375798c264f1580b72abd5737b88106dd", "e47c1248b48801eb7cbbe01d",
     "v2|resp|algo=ed25519|model=a/b|id=chat-1|choice=0|field=content|n=0123456789abcd"
     "ef|ts=1700000000",
     "Good morning",
     "91331fd2349fc433e286fd928e753a57db0c276daf81cbffbd060a86d08c9c53e47c1248b48801eb"
     "7cbbe01d8bf699ce5c12fb6ed0a39d4e88fbbe465d86bc0af4c45b23116c88f0"},
    {"aci_v2_x25519", "4a6bac223eeb292b75012952ee6b6576f1d128d5c488497cb8644ff50a418dd3",
     "00a3e0da4d0b15a6259e68157b53953cc86d02b4b6b0dffdf2a1640966e3aa68",
     "7adfcc50c5c0e33c8a864ba63cb829b1fc3e624047eb35cceed1e0f9a5a37958", "71d30debbb169c538c7670df",
     R"({"algo":"x25519-aes-256-gcm-hkdf-sha256","field":"messages.0.content","model":"a)"
     R"(/b","nonce":"00","purpose":"aci.e2ee.request.v2","ts":1700000000})",
     "Good morning",
     "f83308c205d71fa305a08d7c562f3090d6564cb6129dee567927668f27fbbd7f71d30debbb169c53"
     "8c7670df3ae8065d5875f9c119c009af8144ce541dd65c1b219be60e3e9810c1"},
    {"aci_v2_secp256k1", "ecb02ceb99ac0866f36890e0da2a4af7d6998aaf2e4e602a10fe6f53502a83cc",
     "042a0e769558ddfddf4f9a61325b2e35e510635fca57e0d7a1b7404f22177992114ecdb38be66492"
     "e599c4cdb4684f5582ed04ef3e46347fc6d2349e76e7212e51",
     "4da49fa7aefb5fe17bc7e6281613d49156681737476a295f3c34ad083476eb62", "f466059cb4c68f0e27e4bda2",
     "", "Good morning",
     "041724e878d433783b35f2d710b8d9fa23f871c6cf29890dfd867007c820ee2c5f1b3d4067cb8033"
     "b25ffa92bb42987c32a87cd8f550b93f6702a7c74eea067303f466059cb4c68f0e27e4bda29d3d50"
     "0606460b84621263422add4fc19bced875521fb29993d7fe63"},
};

TEST(KnownBoxes, AreMadeAgainAndOpen) {
  for (const KnownBox& known : kBoxes) {
    SCOPED_TRACE(std::string(known.variant));
    const BoxScheme& scheme = find_variant(known.variant)->box;
    const KeyPair one_time = testing::key_pair(exchange_curve(scheme.curve), known.one_time);
    const auto recipient = PublicKey::parse(scheme.curve, known.recipient_public);
    ASSERT_TRUE(recipient) << recipient.error().message;
    EXPECT_EQ(*seal_box_with(scheme, *recipient, known.plaintext, known.associated_data, one_time,
                             *from_hex(known.nonce)),
              known.sealed);
    BoxOpener opener(scheme, testing::key_pair(scheme.curve, known.recipient));
    EXPECT_EQ(to_hex(opener.public_key().bytes()), known.recipient_public);
    const Result<std::string> opened = opener.open(known.sealed, known.associated_data);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, known.plaintext);
  }
}

TEST(KnownBoxes, CoverEveryVariant) {
  for (const Variant* variant : variants()) {
    const auto is_it = [&](const KnownBox& known) { return known.variant == variant->name; };
    EXPECT_TRUE(std::any_of(kBoxes.begin(), kBoxes.end(), is_it)) << variant->name;
  }
}

}  // namespace
}  // namespace backplane::sealing

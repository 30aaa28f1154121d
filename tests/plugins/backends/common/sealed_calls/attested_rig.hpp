// SPDX-License-Identifier: Apache-2.0
// Calls in the clear to a model that has to prove itself and to sign what it answers, over a fake
// host.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/receipts/receipt_verifier.hpp"
#include "common/sealed_calls/sealed_call.hpp"
#include "common/sealing/hex.hpp"
#include "tests/plugins/backends/common/attestation/made_report.hpp"
#include "tests/plugins/backends/common/call_rig.hpp"
#include "tests/plugins/backends/common/sealing/seal_rig.hpp"

namespace backplane::sealed_calls::testing {

using attestation::MadeReport;
using backplane::testing::FakeHost;
using backplane::testing::kEventStream;
using backplane::testing::kJsonBody;
using backplane::testing::RecordingSink;
using sealing::sha256_hex;

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline const std::string kRequest =
    R"({"model":"some-model","messages":[{"role":"user","content":"What is 2+2?"}]})";
inline const std::string kAnswer =
    R"({"id":"chat-1","choices":[{"index":0,"message":{"content":"4"},"finish_reason":"stop"}]})";

// An Ed25519 key, and what it signs.
class SigningKey {
 public:
  explicit SigningKey(std::uint8_t seed) {
    const std::vector<std::uint8_t> bytes(32, seed);
    key_.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes.data(), 32));
  }
  std::vector<std::uint8_t> public_bytes() const {
    std::vector<std::uint8_t> bytes(32);
    std::size_t size = bytes.size();
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size), 1);
    return bytes;
  }
  std::string sign(std::string_view text) const {
    std::vector<std::uint8_t> signature(64);
    std::size_t size = signature.size();
    const std::unique_ptr<EVP_MD_CTX, attestation::FreeWith<&EVP_MD_CTX_free>> context(
        EVP_MD_CTX_new());
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()), 1);
    EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    return sealing::to_hex(signature);
  }

 private:
  attestation::PublicKey key_;
};

class AttestedCallTest : public ::testing::Test {
 protected:
  explicit AttestedCallTest(const std::string& text = kRequest) : body(make_buffer(text)) {
    host.unix_ns = 1'800'000'000LL * kSecondNs;
    calls.options.report_url = "https://provider.example/v1/attestation/report";
    calls.options.collateral_url = "https://pccs.example";
    calls.options.signing_algorithm = "ed25519";
    calls.options.needs_seal_key = false;
    calls.options.retry_s = 10;
    calls.report_headers = {{"authorization", "Bearer key"}};
    calls.witness.attestation = Checking::kRequire;
    calls.witness.signatures = {Checking::kRequire, 1'000};
    calls.witness.signature_url = "https://provider.example/v1/signature";
  }
  ~AttestedCallTest() override {
    end();
    body.release(body.owner);
  }

  struct Running {
    std::unique_ptr<RecordingSink> sink = std::make_unique<RecordingSink>();
    bp_call* call = nullptr;
  };

  Status start_one(Running& running, std::uint32_t flags = 0,
                   std::string_view model = "some-model") {
    running.sink->set_overrun(4);
    bp_request request{};
    request.struct_size = sizeof(request);
    request.flags = flags;
    request.id = str("request-1");
    request.operation = str("chat.completions");
    request.body = body;
    request.loop = host.loop();
    auto splice = dialect::BodySplice::make(request, false);
    Result<Call*> made = start_sealed_call(
        calls, upstream, request, *running.sink->get(), model,
        {"https://provider.example/v1/chat/completions", {}, std::move(*splice), {}});
    if (!made) return made.error();
    running.call = *made;
    return ok();
  }
  void end_one(Running& running) {
    if (running.call == nullptr) return;
    if (!running.sink->ended) {
      running.call->cancel(running.call);
      host.run();
    }
    running.call->release(std::exchange(running.call, nullptr));
    if (host.is_open()) host.done();
    host.run();
  }
  Status start(std::uint32_t flags = 0) {
    end();
    current = Running();
    return start_one(current, flags);
  }
  void end() { end_one(current); }
  RecordingSink& sink() { return *current.sink; }

  const backplane::testing::SentRequest& asked() const { return host.requests.back(); }
  void reply(std::string_view bytes, const backplane::testing::Headers& headers = kJsonBody,
             std::uint32_t status = 200) {
    host.head(status, headers);
    host.data(bytes);
    if (host.is_open()) host.done();
  }
  std::string nonce() const {
    const std::string& url = asked().url;
    return url.substr(url.find("nonce=") + 6, 64);
  }
  MadeReport report(const std::string& nonce_hex, std::vector<std::uint8_t> signer,
                    std::string_view algorithm = "ed25519") const {
    const auto asked_with = *attestation::field_from_hex<32>(nonce_hex);
    MadeReport made =
        attestation::make_flat_report({}, attestation::report_data_of(signer, asked_with));
    made.document["signing_algo"] = algorithm;
    made.document["signing_address"] = sealing::to_hex(signer);
    made.document.erase("signing_public_key");
    made.document["request_nonce"] = nonce_hex;
    made.document["nonce"] = nonce_hex;
    made.document["nvidia_payload"] = attestation::made_gpu_evidence(asked_with);
    return made;
  }
  MadeReport report() const { return report(nonce(), key.public_bytes()); }
  void give(const MadeReport& made) {
    calls.options.anchor = made.options.quote.anchor;
    collateral = made.collateral;
    calls.keys.drop_collateral(
        {{0x90, 0xc0, 0x6f, 0, 0, 0}, "platform"});  // signed by another root
    reply(boost::json::serialize(made.document));
    if (asked().url.find("pccs") == std::string::npos) return;
    const auto document = [](std::string_view name, std::string_view text,
                             std::span<const std::uint8_t> signature) {
      return "{\"" + std::string(name) + "\":" + std::string(text) + ",\"signature\":\"" +
             sealing::to_hex(signature) + "\"}";
    };
    reply(document("tcbInfo", collateral.tcb_info, collateral.tcb_info_signature),
          {{"tcb-info-issuer-chain", collateral.tcb_info_chain}});
    reply(document("enclaveIdentity", collateral.qe_identity, collateral.qe_identity_signature),
          {{"sgx-enclave-identity-issuer-chain", collateral.qe_identity_chain}});
    reply(attestation::text_of(collateral.pck_crl), {});
    reply(attestation::text_of(collateral.root_crl), {});
  }
  // A call that is proven and answered, and waits for its signature.
  void answer(std::string_view text = kAnswer) {
    ASSERT_TRUE(start());
    if (asked().method == "GET") give(report());
    ASSERT_EQ(asked().method, "POST") << sink().error.message;
    sent = asked().text();
    reply(text);
  }
  std::string signed_text(std::string_view response = kAnswer) const {
    return "some-model:" + sha256_hex(sent) + ':' + sha256_hex(response);
  }
  static std::string signature_json(std::string_view text, std::string_view signature) {
    return boost::json::serialize(
        boost::json::object{{"text", text}, {"signature", signature}, {"signing_algo", "ed25519"}});
  }

  receipts::Receipt receipt() {
    EXPECT_EQ(sink().receipts.size(), 1U);
    if (sink().receipts.empty()) return {};
    const Result<receipts::Receipt> read = receipts::read_receipt(sink().receipts.front());
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : receipts::Receipt();
  }
  receipts::ReceiptVerdict verify(const receipts::Receipt& read,
                                  const receipts::VerifierOptions& changed = {}) const {
    receipts::VerifierOptions options = changed;
    options.quote = {read.attestation.unix_time, calls.options.anchor, {}};
    return receipts::verify_receipt(
        read, [&](const attestation::Platform&) { return &collateral; }, options);
  }
  void expect_failed(std::string_view type, std::string_view why) {
    ASSERT_TRUE(sink().ended);
    EXPECT_EQ(std::string_view(sink().error.type), type) << sink().error.message;
    EXPECT_NE(std::string(sink().error.message).find(why), std::string::npos)
        << sink().error.message;
    EXPECT_EQ(sink().error.http_status, 502U);
  }

  FakeHost host;
  dialect::Upstream upstream{*dialect::find_services(Host(host.get())),
                             {},
                             dialect::Scrubber("https://provider.example", {}),
                             dialect::Counter(Host(host.get()), "malformed", "x", "test")};
  SealedCalls calls{};
  SigningKey key{3};
  attestation::Collateral collateral;
  std::string sent;
  bp_buffer body;
  Running current;
};

}  // namespace backplane::sealed_calls::testing

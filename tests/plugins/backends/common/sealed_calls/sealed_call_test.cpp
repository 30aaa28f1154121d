// SPDX-License-Identifier: Apache-2.0
// Sealed calls over a fake host: a model with keys of its own, on a platform that is made for it.
#include "common/sealed_calls/sealed_call.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/sealing/call_seal.hpp"
#include "common/sealing/hex.hpp"
#include "tests/plugins/backends/common/attestation/made_report.hpp"
#include "tests/plugins/backends/common/call_rig.hpp"
#include "tests/plugins/backends/common/sealing/seal_rig.hpp"

namespace backplane::sealed_calls {
namespace {

using attestation::MadeReport;
using backplane::testing::delta;
using backplane::testing::event;
using backplane::testing::FakeHost;
using backplane::testing::kEventStream;
using backplane::testing::kJsonBody;
using backplane::testing::kStop;
using backplane::testing::RecordingSink;
using sealing::Curve;
using Chunks = std::vector<std::string>;

constexpr std::string_view kBody =
    R"({"model":"some-model","stream":true,"messages":[{"role":"user","content":"What is 2+2?"}]})";

class SealedCallTest : public ::testing::Test {
 protected:
  explicit SealedCallTest(std::string_view text = kBody,
                          const sealing::Variant& chosen = sealing::kVenice)
      : variant(chosen),
        model(chosen.box, sealing::testing::key_pair(chosen.box.curve, 9)),
        body(make_buffer(std::string(text))) {
    host.unix_ns = 1'800'000'000LL * 1'000'000'000;
    calls.variant = &variant;
    calls.options.report_url = "https://venice.example/tee/attestation";
    calls.options.collateral_url = "https://pccs.example";
    calls.report_headers = {{"authorization", "Bearer key"}};
  }
  ~SealedCallTest() override {
    end();
    body.release(body.owner);
  }

  Status start(std::string_view name = "some-model") {
    end();
    sink = std::make_unique<RecordingSink>();
    bp_request request{};
    request.struct_size = sizeof(request);
    request.flags = BP_REQUEST_STREAM;
    request.id = str("request-1");
    request.body = body;
    request.loop = host.loop();
    auto splice = dialect::BodySplice::make(request, false);
    Result<Call*> made =
        start_sealed_call(calls, upstream, request, *sink->get(), name,
                          {"https://venice.example/chat/completions", {}, std::move(*splice), {}});
    if (!made) return made.error();
    call = *made;
    return ok();
  }
  void end() {
    if (call == nullptr) return;
    if (!sink->ended) cancel();
    call->release(std::exchange(call, nullptr));
    if (host.is_open()) host.done();
    host.run();
  }
  void cancel() {
    call->cancel(call);
    host.run();
  }

  void reply(std::string_view bytes, const testing::Headers& headers = kJsonBody,
             std::uint32_t status = 200) {
    host.head(status, headers);
    host.data(bytes);
    if (host.is_open()) host.done();
  }
  std::string_view asked_nonce() const {
    const std::string_view url = host.requests.back().url;
    return url.substr(url.find("nonce=") + 6);
  }

  // What the model's server answers to the question for its attestation.
  MadeReport report(std::string_view nonce_hex) const {
    const auto point = model.public_key().bytes();
    const auto address =
        sealing::ethereum_address(std::span<const std::uint8_t, 65>(point).last<64>());
    const auto nonce = *attestation::field_from_hex<32>(nonce_hex);
    MadeReport made =
        attestation::make_flat_report({}, attestation::report_data_of(address, nonce));
    made.document["signing_address"] = "0x" + sealing::to_hex(address);
    made.document["signing_public_key"] = sealing::to_hex(point);
    made.document["request_nonce"] = std::string(nonce_hex);
    made.document["nonce"] = std::string(nonce_hex);
    made.document["nvidia_payload"] = attestation::made_gpu_evidence(nonce);
    return made;
  }
  void attest(const MadeReport& made) {
    calls.options.anchor = made.options.quote.anchor;
    reply(boost::json::serialize(made.document));
  }
  // Four answers, in the order they are asked for.
  void give_collateral(const attestation::Collateral& collateral) {
    const auto signed_document = [](std::string_view name, std::string_view text,
                                    std::span<const std::uint8_t> signature) {
      return "{\"" + std::string(name) + "\":" + std::string(text) + ",\"signature\":\"" +
             sealing::to_hex(signature) + "\"}";
    };
    EXPECT_EQ(host.requests.back().url.substr(0, 21), "https://pccs.example/");
    EXPECT_EQ(host.requests.back().header("authorization"), "<none>");
    reply(signed_document("tcbInfo", collateral.tcb_info, collateral.tcb_info_signature),
          {{"tcb-info-issuer-chain", collateral.tcb_info_chain}});
    reply(signed_document("enclaveIdentity", collateral.qe_identity,
                          collateral.qe_identity_signature),
          {{"sgx-enclave-identity-issuer-chain", collateral.qe_identity_chain}});
    reply(attestation::text_of(collateral.pck_crl), {});
    reply(attestation::text_of(collateral.root_crl), {});
  }
  void attest_well() {
    const MadeReport made = report(asked_nonce());
    attest(made);
    give_collateral(made.collateral);
  }

  // What the model reads of the one message, and what it answers.
  std::string read_message() {
    simdjson::dom::parser parser;
    const std::string sent = host.requests.back().text();
    std::string_view content;
    EXPECT_FALSE(parser.parse(sent).at_pointer("/messages/0/content").get(content)) << sent;
    EXPECT_EQ(sent.find("2+2"), std::string::npos);
    return *model.open(content, "");
  }
  std::string answer(std::string_view text) const {
    const auto client = sealing::PublicKey::parse(
        variant.box.curve, host.requests.back().header(std::string(variant.headers.client_key)));
    return *sealing::seal_box(variant.box, *client, text, "");
  }
  void expect_failed(Code code, std::string_view why) {
    ASSERT_TRUE(sink->ended);
    EXPECT_EQ(sink->error.code, static_cast<std::uint32_t>(code)) << sink->error.message;
    EXPECT_NE(std::string(sink->error.message).find(why), std::string::npos) << sink->error.message;
    for (const auto& request : host.requests) EXPECT_EQ(request.method, "GET");
  }

  FakeHost host;
  dialect::Upstream upstream{*dialect::find_services(Host(host.get())),
                             {},
                             dialect::Scrubber("https://venice.example", {}),
                             dialect::Counter(Host(host.get()), "malformed", "x", "test")};
  SealedCalls calls{};
  const sealing::Variant& variant;
  sealing::BoxOpener model;
  bp_buffer body;
  std::unique_ptr<RecordingSink> sink;
  bp_call* call = nullptr;
};

TEST_F(SealedCallTest, GoesToTheModelThatWasAttestedAndBack) {
  ASSERT_TRUE(start());
  EXPECT_EQ(host.requests.at(0).url.substr(0, 62),
            "https://venice.example/tee/attestation?model=some-model&nonce=");
  EXPECT_EQ(asked_nonce().size(), 64U);
  EXPECT_EQ(host.requests.at(0).header("authorization"), "Bearer key");
  attest_well();
  ASSERT_EQ(host.requests.size(), 6U);
  EXPECT_EQ(host.requests.back().url, "https://venice.example/chat/completions");
  EXPECT_EQ(host.requests.back().header("x-venice-tee-model-pub-key"),
            sealing::to_hex(model.public_key().bytes()));
  EXPECT_EQ(read_message(), "What is 2+2?");
  const std::string stream =
      event(delta(answer("It is "))) + event(delta(answer("4"))) + event(kStop) + event("[DONE]");
  host.head(200, kEventStream);
  host.data(stream);
  EXPECT_EQ(sink->chunks, (Chunks{delta("It is "), delta("4"), kStop}));
  EXPECT_EQ(sink->events.back(), "end");
}

TEST_F(SealedCallTest, UsesAKeyForAWhileAndAKeyOfItsOwnEachTime) {
  ASSERT_TRUE(start());
  attest_well();
  const std::string first = host.requests.back().header("x-venice-tee-client-pub-key");
  ASSERT_TRUE(start());
  EXPECT_EQ(host.requests.size(), 7U);
  EXPECT_EQ(host.requests.back().method, "POST");
  EXPECT_EQ(read_message(), "What is 2+2?");
  EXPECT_NE(host.requests.back().header("x-venice-tee-client-pub-key"), first);
  ASSERT_TRUE(start("some-model:include_venice_system_prompt=false"));
  EXPECT_EQ(host.requests.back().method, "POST");
  host.unix_ns += 601LL * 1'000'000'000;
  ASSERT_TRUE(start());
  EXPECT_EQ(host.requests.back().method, "GET");
}

TEST_F(SealedCallTest, AsksWithAnotherNonceEachTime) {
  ASSERT_TRUE(start());
  const std::string first(asked_nonce());
  ASSERT_TRUE(start());
  EXPECT_NE(asked_nonce(), first);
}

TEST_F(SealedCallTest, SendsNothingToAModelThatIsNotProven) {
  const std::string other_nonce(64, '1');
  const auto spoilt = [&](std::string_view member, std::string_view value) {
    MadeReport made = report(asked_nonce());
    made.document[member] = std::string(value);
    return made;
  };
  const std::string other_key =
      sealing::testing::public_hex(sealing::testing::key_pair(Curve::kSecp256k1, 8));
  const std::vector<std::function<MadeReport()>> cases{
      [&] { return report(other_nonce); },                      // a report of another day
      [&] { return spoilt("signing_public_key", other_key); },  // another key beside the quote
      [&] { return spoilt("model", "another-model"); },
      [&] { return spoilt("request_nonce", other_nonce); },
      [&] {
        MadeReport made = report(asked_nonce());
        made.document.erase("signing_public_key");
        return made;
      },
  };
  for (std::size_t at = 0; at < cases.size(); ++at) {
    SCOPED_TRACE(at);
    calls.keys.drop_collateral({});
    ASSERT_TRUE(start());
    const MadeReport made = cases[at]();
    attest(made);
    if (host.is_open()) give_collateral(made.collateral);
    expect_failed(Code::kPermissionDenied, "the model's attestation was rejected");
  }
}

TEST_F(SealedCallTest, SendsNothingWhereTheQuoteIsOfAnotherRoot) {
  ASSERT_TRUE(start());
  const MadeReport made = report(asked_nonce());
  reply(boost::json::serialize(made.document));
  give_collateral(made.collateral);
  expect_failed(Code::kPermissionDenied, "the model's attestation was rejected");
}

TEST_F(SealedCallTest, SendsNothingWithoutEvidence) {
  ASSERT_TRUE(start());
  reply(R"({"error":"TEE_ATTESTATION_FAILED"})", kJsonBody, 502);
  expect_failed(Code::kUnavailable, "the model's attestation could not be had: status 502");
  ASSERT_TRUE(start());
  reply("not a report");
  expect_failed(Code::kPermissionDenied, "rejected");
  ASSERT_TRUE(start());
  host.failed(BP_CODE_UNAVAILABLE, "not reached");
  expect_failed(Code::kUnavailable, "not reached");
  ASSERT_TRUE(start());
  attest(report(asked_nonce()));
  reply("gone", {}, 404);
  expect_failed(Code::kUnavailable, "status 404");
}

TEST_F(SealedCallTest, EndsAtAnAnswerInTheClear) {
  ASSERT_TRUE(start());
  attest_well();
  host.head(200, kEventStream);
  host.data(event(delta(answer("It is "))) + event(delta("4")) + event(kStop));
  EXPECT_EQ(sink->chunks, Chunks{delta("It is ")});
  EXPECT_EQ(sink->events.back().substr(0, 5), "error");
}

TEST_F(SealedCallTest, IsCancelledWhileItWaitsAndAfter) {
  ASSERT_TRUE(start());
  cancel();
  EXPECT_EQ(host.cancel_count, 1);
  expect_failed(Code::kCancelled, "cancelled");
  ASSERT_TRUE(start());
  attest_well();
  ASSERT_EQ(host.requests.back().method, "POST");
  cancel();
  EXPECT_EQ(host.cancel_count, 2);
  EXPECT_EQ(sink->error.code, static_cast<std::uint32_t>(Code::kCancelled));
}

TEST_F(SealedCallTest, PausesAndResumes) {
  ASSERT_TRUE(start());
  attest_well();
  sink->answers[0] = BP_FLOW_PAUSE;
  host.head(200, kEventStream);
  host.data(event(delta(answer("It is "))));
  host.run();
  ASSERT_TRUE(sink->paused);
  sink->paused = false;
  call->resume(call);
  host.run();
  EXPECT_EQ(host.resume_count, 1);
  host.data(event(kStop) + event("[DONE]"));
  EXPECT_EQ(sink->events.back(), "end");
}

class NearCallTest : public SealedCallTest {
 protected:
  NearCallTest() : SealedCallTest(kBody, sealing::kNearV2) {
    calls.options.signing_algorithm = "ed25519";
    calls.options.report_query = "&signing_algo=ed25519";
  }
};

TEST_F(NearCallTest, IsSealedForAnEd25519KeyThatIsTheReportDataItself) {
  ASSERT_TRUE(start());
  const std::string_view asked = asked_nonce();
  EXPECT_EQ(asked.substr(64), "&signing_algo=ed25519");
  const std::string nonce(asked.substr(0, 64));
  const auto key = model.public_key().bytes();
  MadeReport made = attestation::make_flat_report(
      {}, attestation::report_data_of(key, *attestation::field_from_hex<32>(nonce)));
  made.document["signing_algo"] = "ed25519";
  made.document["signing_address"] = sealing::to_hex(key);
  made.document["signing_public_key"] = sealing::to_hex(key);
  made.document["request_nonce"] = nonce;
  made.document["nonce"] = nonce;
  made.document["nvidia_payload"] =
      attestation::made_gpu_evidence(*attestation::field_from_hex<32>(nonce));
  attest(made);
  give_collateral(made.collateral);
  ASSERT_EQ(host.requests.back().method, "POST") << sink->error.message;
  EXPECT_EQ(host.requests.back().header("x-encryption-version"), "2");
  EXPECT_EQ(read_message(), "What is 2+2?");
  host.head(200, kEventStream);
  host.data(event(delta(answer("4"))) + event(kStop) + event("[DONE]"));
  EXPECT_EQ(sink->chunks, (Chunks{delta("4"), kStop}));
}

class UncarryableCallTest : public SealedCallTest {
 protected:
  UncarryableCallTest()
      : SealedCallTest(R"({"model":"m","stream":true,"messages":[{"content":"x"}],"tools":[1]})") {}
};

TEST_F(UncarryableCallTest, IsRefusedBeforeTheModelIsAsked) {
  const Status started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kInvalidArgument);
  EXPECT_EQ(started.error().message.substr(0, 6), "tools:");
  EXPECT_TRUE(host.requests.empty());
}

}  // namespace
}  // namespace backplane::sealed_calls

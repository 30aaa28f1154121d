// SPDX-License-Identifier: Apache-2.0
// Every way in which the proof of a model or the signature of its answer can fail, and the receipt
// that tells.
#include "tests/plugins/backends/common/sealed_calls/attested_rig.hpp"

#include <algorithm>

namespace backplane::sealed_calls {
namespace {

using attestation::MadeReport;
using backplane::testing::kEventStream;
using backplane::testing::kJsonBody;
using backplane::testing::RecordingSink;
using sealing::sha256_hex;
using testing::AttestedCallTest;
using testing::kAnswer;
using testing::kSecondNs;
using testing::SigningKey;

TEST_F(AttestedCallTest, IsProvenAnsweredSignedAndTold) {
  answer();
  EXPECT_FALSE(sink().ended) << "the end waits for the signature";
  EXPECT_EQ(asked().url,
            "https://provider.example/v1/signature/chat-1?model=some-model&signing_algo=ed25519");
  EXPECT_EQ(asked().header("authorization"), "Bearer key");
  reply(signature_json(signed_text(), key.sign(signed_text())));
  EXPECT_EQ(sink().events, (std::vector<std::string>{"body", "event 11", "end"}));
  EXPECT_EQ(sink().body, kAnswer);
  const receipts::Receipt read = receipt();
  EXPECT_TRUE(read.is_accepted());
  EXPECT_EQ(read.request_id, "request-1");
  EXPECT_EQ(read.chat_id, "chat-1");
  EXPECT_EQ(read.model, "some-model");
  EXPECT_EQ(read.request.sha256, sha256_hex(sent));
  EXPECT_EQ(read.request.size, sent.size());
  EXPECT_EQ(read.response.sha256, sha256_hex(kAnswer));
  EXPECT_EQ(read.attestation.policy, "require");
  EXPECT_EQ(read.attestation.tcb_status, "UpToDate");
  EXPECT_EQ(read.attestation.signing_address, sealing::to_hex(key.public_bytes()));
  EXPECT_EQ(read.signature.signed_by, read.attestation.signing_address);
  EXPECT_EQ(read.attestation.measurements.count("mr_td"), 1U);
  EXPECT_EQ(read.attestation.quote_sha256.size(), 64U);
}

TEST_F(AttestedCallTest, ItsReceiptVerifiesAgainByItself) {
  answer();
  reply(signature_json(signed_text(), key.sign(signed_text())));
  const receipts::Receipt read = receipt();
  const receipts::ReceiptVerdict verdict = verify(read);
  EXPECT_TRUE(verdict.is_accepted) << verdict.rejection->message;
  receipts::VerifierOptions files;
  files.request_sha256 = sha256_hex(sent);
  files.response_sha256 = sha256_hex(kAnswer);
  EXPECT_TRUE(verify(read, files).is_accepted);
  files.response_sha256 = sha256_hex("another");
  EXPECT_EQ(verify(read, files).rejection->type, receipts::reason::kSignedBytes);
}

TEST_F(AttestedCallTest, AReceiptThatWasChangedDoesNotVerify) {
  answer();
  reply(signature_json(signed_text(), key.sign(signed_text())));
  const receipts::Receipt read = receipt();
  const SigningKey other(4);
  const std::string other_address = sealing::to_hex(other.public_bytes());
  const std::vector<std::pair<std::string_view, std::function<void(receipts::Receipt&)>>> cases{
      {"SIGNED_BYTES", [](auto& it) { it.request.sha256 = sha256_hex("x"); }},
      {"SIGNED_BYTES", [](auto& it) { it.response.sha256 = sha256_hex("x"); }},
      {"SIGNATURE", [](auto& it) { it.signature.signature[5] ^= 1; }},
      {"SIGNATURE_ABSENT", [](auto& it) { it.signature.text.clear(); }},
      {"MODEL", [](auto& it) { it.model = "another-model"; }},
      {"NONCE", [](auto& it) { it.attestation.nonce = std::string(64, '1'); }},
      {"NONCE", [](auto& it) { it.attestation.nonce = "none"; }},
      {"SIGNING_KEY", [&](auto& it) { it.attestation.signing_address = other_address; }},
      {"NO_EVIDENCE", [](auto& it) { it.attestation.evidence.clear(); }},
      {"REPORT_DATA",
       [&](auto& it) {
         it.attestation.evidence["signing_address"] = other_address;
         it.attestation.signing_address = other_address;
         it.signature.signature = other.sign(it.signature.text);
       }},
      {"REPORT_DATA", [](auto& it) { it.attestation.quote_sha256 = sha256_hex("x"); }},
      {"QUOTE_SIGNATURE",
       [](auto& it) {
         std::string quote(it.attestation.evidence["intel_quote"].as_string());
         quote[2 * (48 + 136)] = quote[2 * (48 + 136)] == '0' ? '1' : '0';  // in mr_td
         it.attestation.evidence["intel_quote"] = quote;
       }},
  };
  for (std::size_t at = 0; at < cases.size(); ++at) {
    SCOPED_TRACE(at);
    receipts::Receipt changed = read;
    cases[at].second(changed);
    const receipts::ReceiptVerdict verdict = verify(changed);
    ASSERT_TRUE(verdict.rejection);
    EXPECT_FALSE(verdict.is_accepted);
    EXPECT_EQ(verdict.rejection->type, cases[at].first) << verdict.rejection->message;
  }
}

TEST_F(AttestedCallTest, SendsNothingToAModelThatIsNotProven) {
  const std::string other_nonce(64, '1');
  const SigningKey other(4);
  const std::vector<std::pair<std::string_view, std::function<void()>>> cases{
      {"NONCE", [&] { give(report(other_nonce, key.public_bytes())); }},
      {"REPORT_DATA",
       [&] {
         MadeReport made = report();
         made.document["signing_address"] = sealing::to_hex(other.public_bytes());
         give(made);
       }},
      {"MODEL",
       [&] {
         MadeReport made = report();
         made.document["model"] = "another-model";
         give(made);
       }},
      {"REPORT_MALFORMED", [&] { reply("garbage"); }},
      {"ATTESTATION_UNAVAILABLE", [&] { reply("{}", kJsonBody, 503); }},
      {"ATTESTATION_UNAVAILABLE", [&] { host.failed(BP_CODE_DEADLINE_EXCEEDED, "too slow"); }},
      {"ATTESTATION_UNAVAILABLE", [&] { host.failed(BP_CODE_UNAVAILABLE, "not reached"); }},
  };
  for (std::size_t at = 0; at < cases.size(); ++at) {
    SCOPED_TRACE(at);
    calls.keys.drop_proof("some-model");
    ASSERT_TRUE(start());
    ASSERT_EQ(asked().method, "GET");
    cases[at].second();
    expect_failed(cases[at].first, "the model's attestation");
    // The route stays closed for a while, without a question.
    const std::size_t asked_before = host.requests.size();
    const Status again = start();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().type, cases[at].first);
    EXPECT_EQ(again.error().http_status, 502U);
    EXPECT_EQ(host.requests.size(), asked_before);
  }
  for (const auto& request : host.requests) EXPECT_EQ(request.method, "GET");
  host.unix_ns += 11 * kSecondNs;
  ASSERT_TRUE(start());
  EXPECT_EQ(asked().method, "GET");
}

TEST_F(AttestedCallTest, EndsInAnErrorWhereTheSignatureDoesNotHold) {
  const SigningKey other(4);
  const auto sign = [&](std::string_view text) { return signature_json(text, key.sign(text)); };
  const std::vector<std::pair<std::string_view, std::function<std::string()>>> cases{
      {"SIGNATURE", [&] { return signature_json(signed_text(), other.sign(signed_text())); }},
      {"SIGNED_BYTES", [&] { return sign(signed_text("another answer")); }},
      {"SIGNED_BYTES",
       [&] { return sign("some-model:" + sha256_hex("x") + ':' + sha256_hex(kAnswer)); }},
      {"MODEL", [&] { return sign("other:" + signed_text().substr(11)); }},
      {"SIGNATURE", [&] { return sign("nothing at all"); }},
      {"SIGNATURE_ABSENT", [&] { return "garbage"; }},
      {"SIGNATURE_ABSENT", [&] { return "{}"; }},
  };
  for (std::size_t at = 0; at < cases.size(); ++at) {
    SCOPED_TRACE(at);
    answer();
    reply(cases[at].second());
    expect_failed(cases[at].first, "sign");
    EXPECT_EQ(sink().error.code, static_cast<std::uint32_t>(Code::kDataLoss));
    const receipts::Receipt read = receipt();
    EXPECT_FALSE(read.is_accepted());
    EXPECT_EQ(read.signature.reason, cases[at].first);
    EXPECT_EQ(read.attestation.verdict, "accepted");
    EXPECT_FALSE(verify(read).is_accepted);
  }
}

TEST_F(AttestedCallTest, WaitsAWhileForASignature) {
  answer();
  reply(R"({"error":"Chat id not found or expired"})", kJsonBody, 404);
  ASSERT_EQ(host.timers.size(), 1U);
  EXPECT_EQ(host.timers.begin()->second.delay_ms, kSignatureRetryMs);
  host.fire();
  reply(signature_json(signed_text(), key.sign(signed_text())));
  EXPECT_EQ(sink().events.back(), "end");
  answer();
  for (int tries = 0; !sink().ended; ++tries) {
    ASSERT_LT(tries, 10);
    reply("{}", kJsonBody, 404);
    if (sink().ended) break;
    host.monotonic_ns +=
        static_cast<std::int64_t>(host.timers.begin()->second.delay_ms) * 1'000'000;
    host.fire();
  }
  expect_failed("SIGNATURE_ABSENT", "status 404");
}

TEST_F(AttestedCallTest, GoesOnWithAWarningWhereThatIsThePolicy) {
  calls.witness.attestation = Checking::kWarn;
  calls.witness.signatures.checking = Checking::kWarn;
  ASSERT_TRUE(start());
  reply("garbage");
  ASSERT_EQ(asked().method, "POST");
  reply(kAnswer);
  EXPECT_EQ(sink().events, (std::vector<std::string>{"body", "event 11", "end"}));
  receipts::Receipt read = receipt();
  EXPECT_EQ(read.attestation.verdict, "rejected");
  EXPECT_EQ(read.attestation.reason, "REPORT_MALFORMED");
  EXPECT_EQ(read.signature.verdict, "not_checked");
  EXPECT_FALSE(verify(read).is_accepted);
  EXPECT_NE(host.log_lines.at(0).find("attestation was rejected"), std::string::npos);
  calls.keys.drop_proof("some-model");
  answer();
  reply(signature_json(signed_text("other"), key.sign(signed_text("other"))));
  EXPECT_EQ(sink().events.back(), "end");
  read = receipt();
  EXPECT_EQ(read.attestation.verdict, "accepted");
  EXPECT_EQ(read.signature.verdict, "rejected");
  EXPECT_EQ(read.signature.reason, "SIGNED_BYTES");
}

TEST_F(AttestedCallTest, AsksAModelOnceHoweverManyWait) {
  Running second;
  ASSERT_TRUE(start());
  ASSERT_TRUE(start_one(second));
  EXPECT_EQ(host.requests.size(), 1U);
  give(report(std::string(64, '1'), key.public_bytes()));
  EXPECT_TRUE(sink().ended);
  EXPECT_TRUE(second.sink->ended);
  EXPECT_EQ(host.requests.size(), 5U) << "the report and its collateral, once";
  end_one(second);
}

TEST_F(AttestedCallTest, WhoLeavesDoesNotTakeTheQuestionAlong) {
  Running second;
  ASSERT_TRUE(start());
  ASSERT_TRUE(start_one(second));
  current.call->cancel(current.call);
  host.run();
  EXPECT_EQ(host.cancel_count, 0);
  EXPECT_EQ(sink().error.code, static_cast<std::uint32_t>(Code::kCancelled));
  give(report());
  EXPECT_EQ(asked().method, "POST");
  end_one(second);
  calls.keys.drop_proof("some-model");
  ASSERT_TRUE(start());
  end();
  EXPECT_EQ(host.cancel_count, 2) << "nobody waits any more";
}

TEST_F(AttestedCallTest, IsAskedAgainBeforeTheProofEnds) {
  answer();
  reply(signature_json(signed_text(), key.sign(signed_text())));
  host.unix_ns += 500 * kSecondNs;
  Running late;
  ASSERT_FALSE(host.is_open());
  host.takes_many = true;
  ASSERT_TRUE(start_one(late));
  ASSERT_GE(host.requests.size(), 2U);
  EXPECT_EQ(host.requests[host.requests.size() - 2].method, "GET");
  EXPECT_EQ(host.requests.back().method, "POST");
  EXPECT_NE(host.requests[host.requests.size() - 2].url.find("/attestation/report"),
            std::string::npos);
  end_one(late);
  calls.flights.stop(upstream.services);
  EXPECT_GE(host.cancel_count, 1);
  const auto questions = [&] {
    return std::count_if(host.requests.begin(), host.requests.end(), [](const auto& request) {
      return request.url.find("/attestation/report") != std::string::npos;
    });
  };
  const auto before = questions();
  ASSERT_TRUE(start());
  EXPECT_EQ(questions(), before) << "not again at once";
  host.monotonic_ns += kRefreshPauseS * kSecondNs;
  ASSERT_TRUE(start());
  EXPECT_EQ(questions(), before + 1);
  end();
  calls.flights.stop(upstream.services);
}

TEST_F(AttestedCallTest, IsCancelledWhileItsSignatureIsAwaited) {
  answer();
  EXPECT_FALSE(sink().ended);
  current.call->cancel(current.call);
  host.run();
  ASSERT_TRUE(sink().ended);
  EXPECT_EQ(sink().error.code, static_cast<std::uint32_t>(Code::kCancelled));
  EXPECT_EQ(host.cancel_count, 1);
  answer();
  reply("{}", kJsonBody, 404);
  current.call->cancel(current.call);
  host.run();
  ASSERT_TRUE(sink().ended);
  EXPECT_TRUE(host.timers.empty());
}

// What NEAR documents, byte by byte: a stream and the signature of its model.
class RecordedSignatureTest : public AttestedCallTest {
 protected:
  static std::string file(std::string_view name) {
    return sealing::testing::read_file(sealing::testing::kProviders / "signatures" / name);
  }
  RecordedSignatureTest()
      : AttestedCallTest(file("near_2026_06_three_part.request.json")),
        stream(file("near_2026_06_three_part.response.sse")) {}
  std::string stream;
};

TEST_F(RecordedSignatureTest, HoldsForTheStreamHoweverItComes) {
  if (stream.empty()) GTEST_SKIP() << "no recorded data beside the repository";
  const auto address = *sealing::from_hex("6525e128afcffebf7eed05d485d7be983cdae934");
  simdjson::dom::parser parser;
  const auto manifest =
      parser.load((sealing::testing::kProviders / "signatures/MANIFEST.json").string());
  std::string_view signature;
  ASSERT_FALSE(manifest.at(0)["signature_json"]["signature"].get(signature));
  std::string_view text;
  ASSERT_FALSE(manifest.at(0)["signature_json"]["text"].get(text));
  const std::string reply_text = boost::json::serialize(
      boost::json::object{{"text", text}, {"signature", signature}, {"signing_algo", "ecdsa"}});
  for (const std::size_t cut : {stream.size(), std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    for (const bool is_spoilt : {false, true}) {
      SCOPED_TRACE(cut);
      calls.keys.drop_proof("Qwen/Qwen3.5-122B-A10B");
      end();
      current = Running();
      ASSERT_TRUE(start_one(current, BP_REQUEST_STREAM, "Qwen/Qwen3.5-122B-A10B"));
      MadeReport evidence = report(nonce(), address, "ecdsa");
      evidence.document["model"] = "Qwen/Qwen3.5-122B-A10B";
      give(evidence);
      ASSERT_EQ(asked().method, "POST") << sink().error.message;
      host.head(200, kEventStream);
      std::string bytes = stream;
      if (is_spoilt) bytes.insert(bytes.find("\n\n"), " ");
      for (std::size_t at = 0; at < bytes.size(); at += cut) {
        host.data(std::string_view(bytes).substr(at, cut));
      }
      EXPECT_FALSE(sink().ended);
      host.done();
      EXPECT_NE(asked().url.find("/signature/afa7975eaf844b1888776cf41548e230?model=Qwen%2F"),
                std::string::npos)
          << asked().url;
      reply(reply_text);
      EXPECT_EQ(sink().events.back(), is_spoilt ? "error 15 502" : "end");
      EXPECT_EQ(receipt().signature.verdict, is_spoilt ? "rejected" : "accepted");
    }
  }
}

}  // namespace
}  // namespace backplane::sealed_calls

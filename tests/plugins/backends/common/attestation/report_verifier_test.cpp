// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/report_verifier.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "common/attestation/canonical_json.hpp"
#include "common/attestation/reason.hpp"
#include "common/attestation/verdict_json.hpp"
#include "made_report.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

std::string outcome_of(const ReportVerdict& verdict, std::string_view name, std::size_t at = 0) {
  for (const Finding& finding : verdict.evidences.at(at).findings) {
    if (finding.name == name) return std::string(name_of(finding.outcome));
  }
  return "absent";
}

Field<48> config_id_of(std::string_view compose) {
  Field<48> id{1};
  const Field<32> hash = sha256(bytes_of(compose));
  std::copy(hash.begin(), hash.end(), id.begin() + 1);
  return id;
}

TEST(ReportVerifier, AcceptsWhatIsBound) {
  MadeReport made = make_flat_report();
  ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.shape, "flat");
  for (const char* name :
       {"quote", "signing_key", "nonce", "event_log", "compose_hash", "gpu_nonce"}) {
    EXPECT_EQ(outcome_of(verdict, name), "passed") << name;
  }
  EXPECT_EQ(outcome_of(verdict, "gpu_evidence"), "not_checked");
  EXPECT_EQ(outcome_of(verdict, "freshness"), "not_checked");
  EXPECT_EQ(outcome_of(verdict, "model"), "absent");
  EXPECT_EQ(verdict.evidences[0].measurements.at("app_id"), "c0ffee");
  EXPECT_EQ(verdict.evidences[0].bound.signing_key, "04" + to_hex(made_key()));

  made.options.nonce = made_nonce();
  made.options.model = "some-model";
  made.options.allowed = {{"mr_td", {"00", std::string(96, '1')}},
                          {"compose_hash", {to_hex(sha256(bytes_of(kAppCompose)))}}};
  verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(outcome_of(verdict, "freshness"), "passed");
  EXPECT_EQ(outcome_of(verdict, "model"), "passed");
  EXPECT_EQ(outcome_of(verdict, "measurements"), "passed");
}

TEST(ReportVerifier, TakesQuotesInEveryForm) {
  const MadeReport made = make_flat_report();
  const std::string hex(made.document.at("intel_quote").as_string());
  const Bytes bytes = *from_hex(hex, kQuoteBytesMax);
  for (const std::string& text : {hex, "0x" + hex + "\n", text_of(bytes)}) {
    const ReportVerdict verdict = made.verify_text(text);
    EXPECT_TRUE(verdict.is_accepted) << message_of(verdict);
    EXPECT_EQ(verdict.shape, "quote");
    EXPECT_EQ(outcome_of(verdict, "signing_key"), "not_checked");
  }
  MadeReport asked = made;
  asked.options.nonce = made_nonce();
  EXPECT_EQ(outcome_of(asked.verify_text(hex), "freshness"), "passed");
  asked.options.nonce->at(0) = 0;
  EXPECT_EQ(type_of(asked.verify_text(hex)), reason::kNonce);
  for (const char* text : {"", "no quote", "00", "[]", "{}", "{", "[[\"JWT\",\"x\"],{}]"}) {
    EXPECT_FALSE(made.verify_text(text).is_accepted) << text;
  }
}

struct Case {
  const char* name;
  std::function<void(MadeReport&)> change;
  std::string_view reason;
};

void change_event(MadeReport& made, std::size_t at, const char* member, json::value value) {
  json::array log = made_event_log();
  log.at(at).at(member) = std::move(value);
  made.document["event_log"] = std::move(log);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"other nonce", [](MadeReport& r) { r.options.nonce.emplace().fill(1); }, reason::kNonce},
      {"stated nonce", [](MadeReport& r) { r.document["request_nonce"] = std::string(64, '0'); },
       reason::kNonce},
      {"model", [](MadeReport& r) { r.options.model = "another"; }, reason::kModel},
      {"address",
       [](MadeReport& r) { r.document["signing_address"] = "0x" + std::string(40, '1'); },
       reason::kSigningKey},
      {"address alone",
       [](MadeReport& r) {
         r.document.erase("signing_public_key");
         r.document["signing_address"] = "0x" + std::string(40, '1');
       },
       reason::kReportData},
      {"key", [](MadeReport& r) { r.document["signing_public_key"] = std::string(128, '1'); },
       reason::kSigningKey},
      {"key size", [](MadeReport& r) { r.document["signing_public_key"] = "04"; },
       reason::kSigningKey},
      {"algorithm", [](MadeReport& r) { r.document["signing_algo"] = "rsa"; }, reason::kSigningKey},
      {"event digest", [](MadeReport& r) { change_event(r, 0, "digest", json::string(96, '0')); },
       reason::kEventLog},
      {"empty digest", [](MadeReport& r) { change_event(r, 0, "digest", ""); }, reason::kEventLog},
      {"payload", [](MadeReport& r) { change_event(r, 3, "event_payload", "c0ffef"); },
       reason::kEventLog},
      {"name", [](MadeReport& r) { change_event(r, 5, "event", "system-readx"); },
       reason::kEventLog},
      {"register", [](MadeReport& r) { change_event(r, 5, "imr", 4); }, reason::kEventLog},
      {"type", [](MadeReport& r) { change_event(r, 5, "event_type", 4); }, reason::kEventLog},
      {"log", [](MadeReport& r) { r.document["event_log"] = "{"; }, reason::kEventLog},
      {"compose", [](MadeReport& r) { r.document["info"].at("tcb_info").at("app_compose") = "{}"; },
       reason::kComposeHash},
      {"compose hash",
       [](MadeReport& r) {
         r.document["info"].at("tcb_info").as_object()["compose_hash"] = std::string(64, '0');
       },
       reason::kComposeHash},
      {"GPU nonce",
       [](MadeReport& r) { r.document["nvidia_payload"] = made_gpu_evidence(Field<32>{}); },
       reason::kGpuNonce},
      {"GPU list",
       [](MadeReport& r) {
         r.document["nvidia_payload"] = json::object{{"nonce", to_hex(made_nonce())}};
       },
       reason::kGpuNonce},
      {"measurement",
       [](MadeReport& r) {
         r.options.allowed = {{"mr_td", {"00"}}};
       },
       reason::kMeasurement},
      {"no measurement",
       [](MadeReport& r) {
         r.options.allowed = {{"os_image_hash", {"00"}}};
       },
       reason::kMeasurement},
      {"quote", [](MadeReport& r) { r.document["intel_quote"] = "zz"; }, reason::kReportMalformed},
      {"no quote", [](MadeReport& r) { r.document.erase("intel_quote"); },
       reason::kReportMalformed}};
  return kCases;
}

TEST(ReportVerifier, SaysWhatItRejects) {
  const MadeReport whole = make_flat_report();
  for (const Case& each : cases()) {
    MadeReport made = whole;
    each.change(made);
    const ReportVerdict verdict = made.verify();
    EXPECT_FALSE(verdict.is_accepted) << each.name;
    EXPECT_EQ(type_of(verdict), each.reason) << each.name << ": " << message_of(verdict);
  }
}

TEST(ReportVerifier, DoesNotTrustTheDigestsOfTheRuntime) {
  // A log that shows another app, with the digest of the true event beside it.
  MadeReport made = make_flat_report();
  const Event app = read_event_log(made_event_log())->at(3);
  json::array log = made_event_log();
  log.at(3).at("event_payload") = "bad0";
  log.at(3).at("digest") = to_hex(app.digest);
  made.document["event_log"] = log;
  EXPECT_EQ(type_of(made.verify()), reason::kEventLog);
}

TEST(EventLog, MeasuresWhatCameBeforeTheAppRan) {
  json::array log = made_event_log();
  json::object forged = log.at(3).as_object();
  forged["event"] = "os-image-hash";
  log.push_back(forged);
  forged["event"] = "app-id";
  forged["event_payload"] = "bad0";
  log.push_back(forged);
  Result<std::vector<Event>> events = read_event_log(log);
  ASSERT_TRUE(events);
  EXPECT_FALSE(payload_of(*events, "os-image-hash"));
  EXPECT_EQ(to_hex(*payload_of(*events, "app-id")), "c0ffee");
  log.insert(log.begin() + 3, forged);
  EXPECT_FALSE(payload_of(*read_event_log(log), "app-id"));  // which one is meant?
}

TEST(ReportVerifier, WantsAKeyWhenTold) {
  MadeReport made = make_flat_report();
  made.options.requires_key = true;
  EXPECT_TRUE(made.verify().is_accepted);
  const std::string quote(made.document.at("intel_quote").as_string());
  EXPECT_EQ(type_of(made.verify_text(quote)), reason::kSigningKey);
}

TEST(ReportVerifier, ChecksBothPlacesOfTheConfiguration) {
  Recipe recipe;
  recipe.report.mr_config_id = config_id_of(kAppCompose);
  MadeReport made = make_flat_report(recipe);
  EXPECT_EQ(outcome_of(made.verify(), "compose_hash"), "passed");
  made.document.erase("event_log");
  EXPECT_EQ(outcome_of(made.verify(), "compose_hash"), "passed");
  recipe.report.mr_config_id = config_id_of("other");
  made = make_flat_report(recipe);
  EXPECT_EQ(type_of(made.verify()), reason::kComposeHash);
  made = make_flat_report();
  made.document.erase("event_log");
  EXPECT_EQ(outcome_of(made.verify(), "compose_hash"), "not_checked");
}

TEST(ReportVerifier, BindsAnAddressOnlyWithItsZeros) {
  const sealing::EthereumAddress address = sealing::ethereum_address(made_key());
  Field<64> data = report_data_of(address, made_nonce());
  data[31] = 1;
  EXPECT_EQ(type_of(make_flat_report({}, data).verify()), reason::kReportData);
}

TEST(ReportVerifier, TakesHashedNonces) {
  const sealing::EthereumAddress address = sealing::ethereum_address(made_key());
  const Field<64> data = report_data_of(address, sha256(made_nonce()));
  const ReportVerdict verdict = make_flat_report({}, data).verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.evidences[0].bound.nonce_method, "sha256");
}

TEST(ReportVerifier, BindsEd25519Keys) {
  const Field<32> key = sha256(bytes_of("key"));
  MadeReport made = make_flat_report({}, report_data_of(key, made_nonce()));
  made.document["signing_algo"] = "ed25519";
  made.document["signing_address"] = to_hex(key);
  made.document["signing_public_key"] = to_hex(key);
  ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.evidences[0].bound.signing_algorithm, "ed25519");
  made.document["signing_address"] = std::string(64, '0');
  EXPECT_EQ(type_of(made.verify()), reason::kSigningKey);
}

TEST(ReportVerifier, BindsKeysTogetherWithTlsCertificates) {
  const sealing::EthereumAddress address = sealing::ethereum_address(made_key());
  const Field<32> fingerprint = sha256(bytes_of("certificate"));
  Bytes both(address.begin(), address.end());
  both.insert(both.end(), fingerprint.begin(), fingerprint.end());
  MadeReport made = make_flat_report({}, report_data_of(sha256(both), made_nonce()));
  EXPECT_EQ(type_of(made.verify()), reason::kReportData);
  made.document["tls_cert_fingerprint"] = to_hex(fingerprint);
  const ReportVerdict verdict = made.verify();
  EXPECT_TRUE(verdict.is_accepted) << message_of(verdict);
}

TEST(ReportVerifier, WantsCollateralForEveryPlatform) {
  const MadeReport made = make_flat_report();
  const Result<Report> report = read_report(json::serialize(made.document));
  EXPECT_EQ(platforms_of(*report).size(), 1U);
  const ReportVerdict verdict = verify_report(
      *report, [](const Platform&) { return nullptr; }, made.options);
  EXPECT_EQ(type_of(verdict), reason::kCollateralMissing);
}

TEST(VerdictJson, CallsClaimsByTheirName) {
  MadeReport made = make_flat_report();
  json::object out = to_json(made.verify());
  EXPECT_EQ(out.at("verdict"), "accepted");
  EXPECT_TRUE(out.at("reason").is_null());
  EXPECT_EQ(out.at("tcb_status"), "UpToDate");
  EXPECT_EQ(out.at("measurements").at("mr_td").as_string(), std::string(96, '1'));
  EXPECT_EQ(out.at("evidences").at(0).at("bound").at("signing_algorithm"), "ecdsa");
  made.options.quote.anchor = intel_sgx_root();
  out = to_json(made.verify());
  EXPECT_EQ(out.at("verdict"), "rejected");
  EXPECT_EQ(out.at("reason"), "ROOT_UNTRUSTED");
  EXPECT_FALSE(out.contains("measurements"));
  EXPECT_EQ(out.at("claimed_measurements").at("mr_td").as_string(), std::string(96, '1'));
}

TEST(CanonicalJson, IsTheTextOfRfc8785) {
  const auto canonical = [](std::string_view text) {
    return canonical_json(json::parse(std::string(text))).value_or("none");
  };
  EXPECT_EQ(canonical(R"({"b":1,"a":[true,null,{}],"":"\u00e9\u000f\n\"\\/"})"),
            "{\"\":\"\xc3\xa9\\u000f\\n\\\"\\\\/\",\"a\":[true,null,{}],\"b\":1}");
  EXPECT_EQ(canonical(R"({"\ufb33":1,"\ud83d\ude00":2,"z":3})"),
            "{\"z\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}");
  EXPECT_EQ(canonical("-9007199254740991"), "-9007199254740991");
  EXPECT_EQ(canonical("[]"), "[]");
  EXPECT_EQ(canonical("1.5"), "none");
  EXPECT_EQ(canonical("9007199254740992"), "none");
}

}  // namespace
}  // namespace backplane::attestation

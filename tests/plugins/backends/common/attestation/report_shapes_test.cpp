// SPDX-License-Identifier: Apache-2.0
// Reports with several quotes, or bound in their own ways.
#include <gtest/gtest.h>

#include "common/attestation/canonical_json.hpp"
#include "common/attestation/collateral_requests.hpp"
#include "common/attestation/reason.hpp"
#include "made_report.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

MadeReport report_with(const Field<64>& report_data) {
  MadeReport made = make_flat_report({}, report_data);
  const json::value quote = made.document["intel_quote"];
  made.document = {{"intel_quote", quote}};
  return made;
}

TEST(ReportShapes, UnwrapsWhatWrapsTheReport) {
  MadeReport made = make_flat_report();
  made.document = {{"captured", 1}, {"attestation", made.document}};
  EXPECT_TRUE(made.verify().is_accepted) << message_of(made.verify());
}

TEST(ReportShapes, VerifiesEveryReplica) {
  MadeReport made = make_flat_report();
  const json::object item = made.document;
  made.document["all_attestations"] = json::array{item, item};
  ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.evidences.size(), 3U);
  EXPECT_EQ(verdict.evidences[2].role, "replica");
  made.document["all_attestations"].at(1).as_object()["request_nonce"] = std::string(64, '0');
  verdict = made.verify();
  EXPECT_EQ(type_of(verdict), reason::kNonce);
  EXPECT_TRUE(verdict.evidences[1].is_accepted);
  made.document.erase("intel_quote");
  made.document["all_attestations"] = json::array{item};
  EXPECT_TRUE(made.verify().is_accepted);
  made.document["all_attestations"] = json::array();
  EXPECT_EQ(type_of(made.verify()), reason::kReportMalformed);
  json::array many;
  for (std::size_t at = 0; at <= kEvidencesMax; ++at) many.push_back(item);
  made.document["all_attestations"] = std::move(many);
  EXPECT_EQ(type_of(made.verify()), reason::kReportMalformed);
}

TEST(ReportShapes, VerifiesGatewayAndModels) {
  MadeReport made = make_flat_report();
  const json::object model = made.document;
  json::object gateway = model;
  gateway.erase("info");
  made.document = {{"gateway_attestation", gateway}, {"model_attestations", json::array{model}}};
  ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.shape, "gateway");
  EXPECT_EQ(verdict.evidences[0].role, "gateway");
  made.document["model_attestations"].at(0).as_object()["signing_address"] = "0x00";
  EXPECT_EQ(type_of(made.verify()), reason::kSigningKey);
  made.document["model_attestations"] = "none";
  EXPECT_EQ(type_of(made.verify()), reason::kReportMalformed);
}

TEST(ReportShapes, VerifiesTheComposeManager) {
  const json::array actions{json::object{{"action", "compose_up"}, {"tag", "v1"}}};
  const Field<32> hash = sha256(bytes_of(json::serialize(actions)));
  // One quote vouches for both here: its report data is the manager's, so it has no key.
  MadeReport made = report_with(report_data_of(hash, made_nonce()));
  json::object manager{{"quote", made.document["intel_quote"]},
                       {"actions", actions},
                       {"actions_hash", to_hex(hash)},
                       {"nonce", to_hex(made_nonce())}};
  made.document["compose_manager_attestation"] = manager;
  ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  ASSERT_EQ(verdict.evidences.size(), 2U);
  EXPECT_EQ(verdict.evidences[1].findings.back().outcome, Outcome::kPassed);
  manager["actions"] = json::array();
  made.document["compose_manager_attestation"] = manager;
  verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted);
  EXPECT_EQ(verdict.evidences[1].findings.back().outcome, Outcome::kNotChecked);
  manager["actions_hash"] = std::string(64, '0');
  made.document["compose_manager_attestation"] = manager;
  EXPECT_EQ(type_of(made.verify()), reason::kReportData);
}

TEST(ReportShapes, VerifiesInstancesThatIgnoreOurNonce) {
  const std::string nonce = "their nonce";
  const std::string key = "their key";
  MadeReport made = report_with(report_data_of(sha256(bytes_of(nonce + key)), {}));
  const json::object instance{{"instance_id", "1"},
                              {"nonce", nonce},
                              {"e2e_pubkey", key},
                              {"gpu_evidence", json::array()},
                              {"intel_quote", made.document["intel_quote"]}};
  made.document = {{"attestation_type", "chutes"}, {"all_attestations", json::array{instance}}};
  const ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.evidences[0].bound.signing_key, key);
  made.options.nonce = made_nonce();
  EXPECT_EQ(type_of(made.verify()), reason::kNonce);
  // A key that was bound without any nonce is as old as it likes.
  MadeReport old = report_with(report_data_of(sha256(bytes_of(key)), {}));
  old.options.nonce = made_nonce();
  json::object timeless = instance;
  timeless.erase("nonce");
  timeless["intel_quote"] = old.document["intel_quote"];
  old.document = {{"attestation_type", "chutes"}, {"all_attestations", json::array{timeless}}};
  EXPECT_EQ(type_of(old.verify()), reason::kNonce);
  made.options.nonce.reset();
  made.document["all_attestations"].at(0).at("e2e_pubkey") = "another";
  EXPECT_EQ(type_of(made.verify()), reason::kReportData);
}

// The values of the ACI specification's test vectors.
constexpr std::string_view kKeyset =
    R"({"not_after":1800000000,"subject":"dstack-app://example-app","e2ee_public_keys":[{)"
    R"("algo":"x25519-aes-256-gcm-hkdf-sha256","key_id":"e2ee-1","public_key":)"
    R"("5dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef22"}],)"
    R"("receipt_signing_keys":[{"algo":"ed25519","key_id":"receipt-1","public_key":)"
    R"("8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"}],)"
    R"("tls_public_keys":[{"domain":"api.example.com","spki_sha256":)"
    R"("c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"}]})";
constexpr std::string_view kKeysetDigest =
    "sha256:53a5cd44b30dcc51999754c719f2628a041f174ecbf9662a6f8e898a10cd9371";
constexpr std::string_view kStatementHash =
    "df2174d28130852b413646a3786927b93e94c11d770268b65def8bdba45cb49e";

Field<32> counted_nonce() {
  Field<32> nonce{};
  for (std::size_t at = 0; at < nonce.size(); ++at) nonce[at] = static_cast<std::uint8_t>(at);
  return nonce;
}

MadeReport make_workload_report(const Field<64>& report_data) {
  MadeReport made = report_with(report_data);
  made.options.nonce = counted_nonce();
  json::object evidence{{"quote", made.document["intel_quote"]}, {"event_log", made_event_log()}};
  made.document = {
      {"api_version", "aci/1"},
      {"workload_id", "sha256:00"},
      {"workload_keyset_digest", kKeysetDigest},
      {"attestation", json::object{{"workload_keyset", json::parse(std::string(kKeyset))},
                                   {"evidence", evidence}}}};
  return made;
}

TEST(ReportShapes, BindsSetsOfKeysByAStatement) {
  MadeReport made = make_workload_report(report_data_of(*from_hex(kStatementHash, 32), Bytes()));
  ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.shape, "aci");
  EXPECT_EQ(verdict.evidences[0].bound.nonce_method, "statement");
  made.document["attestation"].at("workload_keyset").at("not_after") = 1'800'000'001;
  EXPECT_EQ(type_of(made.verify()), reason::kSigningKey);
  // Nor does a set that is not bound become so by report data of zeros.
  made = make_workload_report(report_data_of(Bytes(), counted_nonce()));
  EXPECT_EQ(type_of(made.verify()), reason::kSigningKey);
}

TEST(ReportShapes, BindsSetsOfKeysByTheFirstStatementToo) {
  const json::object statement{{"purpose", "aci.report_data.v1"},
                               {"workload_id", "sha256:00"},
                               {"workload_keyset_digest", kKeysetDigest},
                               {"nonce", to_hex(counted_nonce())}};
  const Field<32> hash = sha256(bytes_of(*canonical_json(statement)));
  MadeReport made = make_workload_report(report_data_of(hash, Bytes()));
  EXPECT_TRUE(made.verify().is_accepted) << message_of(made.verify());
  made.document["workload_id"] = "sha256:01";
  EXPECT_FALSE(made.verify().is_accepted);
}

TEST(ReportShapes, FindsTheKeyOfAnAddressInTheSet) {
  const Field<64> key = made_key();
  const sealing::EthereumAddress address = sealing::ethereum_address(key);
  MadeReport made = make_workload_report(report_data_of(address, counted_nonce()));
  made.document["signing_address"] = "0x" + to_hex(address);
  json::value& keys = made.document["attestation"].at("workload_keyset").at("e2ee_public_keys");
  keys.as_array().push_back(json::object{{"public_key", to_hex(key)}});
  const ReportVerdict verdict = made.verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_EQ(verdict.evidences[0].bound.signing_key, to_hex(key));
  // The older quote beside it is verified on its own.
  MadeReport both = made;
  const MadeReport other = report_with(Field<64>{});
  both.document["intel_quote"] = other.document.at("intel_quote");
  EXPECT_FALSE(both.verify().is_accepted);
}

TEST(CollateralRequests, NameIntelsServiceAndCaches) {
  const Platform platform{{0x90, 0xc0, 0x6f, 0, 0, 0}, "platform"};
  const CollateralRequests intel = collateral_requests(platform, kIntelPcs);
  EXPECT_EQ(intel.tcb_info.url,
            "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=90c06f000000");
  EXPECT_EQ(intel.tcb_info.issuer_chain_header, "tcb-info-issuer-chain");
  EXPECT_EQ(intel.root_crl.url,
            "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der");
  const CollateralRequests cache = collateral_requests(platform, "http://cache:8081/");
  EXPECT_EQ(cache.qe_identity.url, "http://cache:8081/tdx/certification/v4/qe/identity");
  EXPECT_EQ(cache.pck_crl.url,
            "http://cache:8081/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
  EXPECT_EQ(cache.root_crl.url, "http://cache:8081/sgx/certification/v4/rootcacrl");
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char next : text) out += "%" + to_hex(bytes_of(std::string_view(&next, 1)));
  return out;
}

TEST(CollateralFrom, KeepsTheBytesThatWereSigned) {
  const MadeEvidence made = make_evidence(Recipe());
  const Collateral& source = made.collateral;
  CollateralAnswers answers;
  answers.tcb_info = {"{\"tcbInfo\":" + source.tcb_info + ",\"signature\":\"" +
                          to_hex(source.tcb_info_signature) + "\"}",
                      percent_encoded(source.tcb_info_chain)};
  answers.qe_identity = {"{ \"signature\" : \"" + to_hex(source.qe_identity_signature) +
                             "\", \"enclaveIdentity\" : " + source.qe_identity + " }",
                         percent_encoded(source.qe_identity_chain)};
  answers.pck_crl.body = text_of(source.pck_crl);
  answers.root_crl.body = to_hex(source.root_crl);
  const Result<Collateral> collateral = collateral_from(answers);
  ASSERT_TRUE(collateral) << collateral.error().message;
  EXPECT_TRUE(verify_quote(made.quote, *collateral, made.options).is_accepted);
  // And so does the document that is written to a file.
  const Result<Collateral> read = parse_collateral(to_json(*collateral));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(verify_quote(made.quote, *read, made.options).is_accepted);
  answers.root_crl.body = "";
  EXPECT_FALSE(collateral_from(answers));
  answers.tcb_info.body = "{}";
  EXPECT_FALSE(collateral_from(answers));
}

}  // namespace
}  // namespace backplane::attestation

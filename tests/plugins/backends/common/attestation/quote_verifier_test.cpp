// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/quote_verifier.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <boost/json/array.hpp>
#include <functional>

#include "common/attestation/reason.hpp"
#include "made_evidence.hpp"
#include "verdicts.hpp"

namespace backplane::attestation {
namespace {

constexpr std::int64_t kDay = 86'400;

TEST(QuoteVerifier, AcceptsWhatIsGenuine) {
  for (const std::uint16_t version : {std::uint16_t{4}, std::uint16_t{5}}) {
    for (const bool is_td15 : {false, true}) {
      if (version == 4 && is_td15) continue;
      Recipe recipe;
      recipe.version = version;
      recipe.report.is_td15 = is_td15;
      const MadeEvidence made = make_evidence(recipe);
      const QuoteVerdict verdict = made.verify();
      ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
      EXPECT_TRUE(verdict.is_genuine);
      EXPECT_EQ(verdict.quote->version, version);
      EXPECT_EQ(verdict.quote->report.mr_td, recipe.report.mr_td);
      EXPECT_EQ(verdict.tcb->status, TcbStatus::kUpToDate);
      EXPECT_EQ(verdict.tcb->advisories, std::vector<std::string>{"INTEL-SA-1"});
      EXPECT_EQ(verdict.evaluation_number, 17U);
      EXPECT_EQ(verdict.expires, recipe.now + 15 * kDay);  // that of the lists
      EXPECT_EQ(verdict.quote_sha256, sha256(made.quote));
    }
  }
}

struct Case {
  const char* name;
  std::function<void(Recipe&)> change;
  std::string_view reason;
  bool is_genuine = false;
};

void set_level_svn(Recipe& recipe, const char* components, std::size_t at, int svn) {
  boost::json::value& level = recipe.tcb_info["tcbLevels"].as_array()[0];
  level.at("tcb").at(components).as_array()[at].at("svn") = svn;
}

const std::vector<Case>& certificate_cases() {
  static const std::vector<Case> kCases = {
      {"expired", [](Recipe& r) { r.certificates_end = r.now - 1; }, reason::kCertificateTime},
      {"not yet", [](Recipe& r) { r.certificates_begin = r.now + 1; }, reason::kCertificateTime},
      {"PCK name", [](Recipe& r) { r.pck_name = "Intel SGX PCK"; }, reason::kCertificateChain},
      {"CA name", [](Recipe& r) { r.ca_name = "Some CA"; }, reason::kCertificateChain},
      {"not a CA", [](Recipe& r) { r.is_ca = false; }, reason::kCertificateChain},
      {"signing name", [](Recipe& r) { r.signing_name = "x"; }, reason::kCertificateChain},
      {"list old", [](Recipe& r) { r.lists_end = r.now - 1; }, reason::kCrlTime},
      {"list new", [](Recipe& r) { r.lists_begin = r.now + 1; }, reason::kCrlTime},
      {"PCK revoked", [](Recipe& r) { r.revokes_pck = true; }, reason::kCertificateRevoked},
      {"CA revoked", [](Recipe& r) { r.revokes_ca = true; }, reason::kCertificateRevoked},
      {"signer revoked", [](Recipe& r) { r.revokes_signing = true; }, reason::kCertificateRevoked},
      {"key", [](Recipe& r) { r.has_foreign_attestation_key = true; }, reason::kQeReportData}};
  return kCases;
}

const std::vector<Case>& collateral_cases() {
  static const std::vector<Case> kCases = {
      {"fmspc", [](Recipe& r) { r.platform.fmspc[0] = 1; }, reason::kFmspc},
      {"pceId", [](Recipe& r) { r.platform.pce_id[1] = 1; }, reason::kFmspc},
      {"SGX id", [](Recipe& r) { r.tcb_info["id"] = "SGX"; }, reason::kCollateralMalformed},
      {"version", [](Recipe& r) { r.tcb_info["version"] = 2; }, reason::kCollateralMalformed},
      {"no levels", [](Recipe& r) { r.tcb_info.erase("tcbLevels"); }, reason::kNoTcbLevel},
      {"number", [](Recipe& r) { set_level_svn(r, "sgxtcbcomponents", 1, 256); },
       reason::kCollateralMalformed},
      {"old", [](Recipe& r) { r.tcb_info["nextUpdate"] = "2026-01-01T00:00:00Z"; },
       reason::kTcbInfoTime},
      {"new", [](Recipe& r) { r.tcb_info["issueDate"] = "2030-01-01T00:00:00Z"; },
       reason::kTcbInfoTime},
      {"date", [](Recipe& r) { r.tcb_info["nextUpdate"] = "2026-02-30T00:00:00Z"; },
       reason::kCollateralMalformed},
      {"status", [](Recipe& r) { r.set_status("Fine", "UpToDate", "UpToDate"); },
       reason::kCollateralMalformed},
      {"QE id", [](Recipe& r) { r.qe_identity["id"] = "QE"; }, reason::kCollateralMalformed},
      {"QE old", [](Recipe& r) { r.qe_identity["nextUpdate"] = "2026-01-01T00:00:00Z"; },
       reason::kQeIdentityTime},
      {"QE signer", [](Recipe& r) { r.qe_identity["mrsigner"] = std::string(64, '0'); },
       reason::kQeIdentity},
      {"QE product", [](Recipe& r) { r.qe_identity["isvprodid"] = 1; }, reason::kQeIdentity},
      {"QE attributes",
       [](Recipe& r) { r.qe_identity["attributes"] = "13000000000000000000000000000000"; },
       reason::kQeIdentity},
      {"QE svn", [](Recipe& r) { r.qe_svn = 3; }, reason::kNoTcbLevel}};
  return kCases;
}

const std::vector<Case>& platform_cases() {
  static const std::vector<Case> kCases = {
      {"component", [](Recipe& r) { r.platform.sgx_svn[15] = 4; }, reason::kNoTcbLevel},
      {"pcesvn", [](Recipe& r) { r.platform.pce_svn = 10; }, reason::kNoTcbLevel},
      {"TDX component", [](Recipe& r) { r.report.tee_tcb_svn[2] = 1; }, reason::kNoTcbLevel},
      {"module svn", [](Recipe& r) { r.report.tee_tcb_svn[0] = 2; }, reason::kNoTcbLevel},
      {"module version", [](Recipe& r) { r.report.tee_tcb_svn[1] = 2; }, reason::kTdxModule},
      {"module signer", [](Recipe& r) { r.report.mr_signer_seam[0] = 1; }, reason::kTdxModule},
      {"module attributes", [](Recipe& r) { r.report.seam_attributes[7] = 1; }, reason::kTdxModule},
      {"debug", [](Recipe& r) { r.report.td_attributes[0] = 1; }, reason::kDebug, true},
      {"no SEPT_VE_DISABLE", [](Recipe& r) { r.report.td_attributes[3] = 0; }, reason::kTdPolicy,
       true},
      {"migratable", [](Recipe& r) { r.report.td_attributes[3] = 0x30; }, reason::kTdPolicy, true},
      {"reserved bit", [](Recipe& r) { r.report.td_attributes[1] = 2; }, reason::kTdPolicy, true},
      {"service TD",
       [](Recipe& r) {
         r.version = 5;
         r.report.is_td15 = true;
         r.report.mr_service_td[47] = 1;
       },
       reason::kTdPolicy, true},
      {"out of date", [](Recipe& r) { r.set_status("OutOfDate", "UpToDate", "UpToDate"); },
       reason::kTcbStatus, true},
      {"revoked", [](Recipe& r) { r.set_status("Revoked", "UpToDate", "UpToDate"); },
       reason::kTcbStatus, true}};
  return kCases;
}

TEST(QuoteVerifier, SaysWhatItRejects) {
  for (const auto& cases : {certificate_cases(), collateral_cases(), platform_cases()}) {
    for (const Case& each : cases) {
      Recipe recipe;
      each.change(recipe);
      const QuoteVerdict verdict = make_evidence(recipe).verify();
      EXPECT_EQ(type_of(verdict), each.reason) << each.name << ": " << message_of(verdict);
      EXPECT_FALSE(verdict.is_accepted) << each.name;
      EXPECT_EQ(verdict.is_genuine, each.is_genuine) << each.name;
    }
  }
}

TEST(QuoteVerifier, TrustsItsOwnRootAlone) {
  MadeEvidence made = make_evidence(Recipe());
  made.options.anchor = intel_sgx_root();
  EXPECT_EQ(type_of(made.verify()), reason::kRootUntrusted);
  // Collateral under another root than the quote's.
  MadeEvidence mixed = make_evidence(Recipe());
  const Collateral foreign = make_evidence(Recipe()).collateral;
  mixed.collateral.tcb_info_chain = foreign.tcb_info_chain;
  mixed.collateral.tcb_info = foreign.tcb_info;
  mixed.collateral.tcb_info_signature = foreign.tcb_info_signature;
  EXPECT_EQ(type_of(mixed.verify()), reason::kRootUntrusted);
}

TEST(QuoteVerifier, WantsTheListsOfTheRightIssuers) {
  MadeEvidence made = make_evidence(Recipe());
  std::swap(made.collateral.root_crl, made.collateral.pck_crl);
  EXPECT_EQ(type_of(made.verify()), reason::kCrl);
  std::swap(made.collateral.root_crl, made.collateral.pck_crl);
  made.collateral.pck_crl = made.collateral.root_crl;
  EXPECT_EQ(type_of(made.verify()), reason::kCrl);
  made.collateral.pck_crl.clear();
  EXPECT_EQ(type_of(made.verify()), reason::kCrl);
  const Bytes foreign = make_evidence(Recipe()).collateral.pck_crl;
  made = make_evidence(Recipe());
  made.collateral.pck_crl = foreign;
  EXPECT_EQ(type_of(made.verify()), reason::kCrl);
}

TEST(QuoteVerifier, TakesCollateralOnlyAsItWasSigned) {
  const MadeEvidence whole = make_evidence(Recipe());
  MadeEvidence made = whole;
  made.collateral.tcb_info += ' ';
  EXPECT_EQ(type_of(made.verify()), reason::kTcbInfoSignature);
  made = whole;
  made.collateral.qe_identity_signature[63] ^= 1;
  EXPECT_EQ(type_of(made.verify()), reason::kQeIdentitySignature);
}

struct StatusCase {
  const char* platform;
  const char* module;
  const char* qe;
  const char* together;
};

TEST(QuoteVerifier, BringsTheStatusesTogether) {
  constexpr StatusCase kCases[] = {
      {"UpToDate", "UpToDate", "UpToDate", "UpToDate"},
      {"SWHardeningNeeded", "UpToDate", "UpToDate", "SWHardeningNeeded"},
      {"UpToDate", "OutOfDate", "UpToDate", "OutOfDate"},
      {"SWHardeningNeeded", "UpToDate", "OutOfDate", "OutOfDate"},
      {"ConfigurationNeeded", "OutOfDate", "UpToDate", "OutOfDateConfigurationNeeded"},
      {"ConfigurationAndSWHardeningNeeded", "UpToDate", "OutOfDate",
       "OutOfDateConfigurationNeeded"},
      {"OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDate", "OutOfDateConfigurationNeeded"},
      {"UpToDate", "Revoked", "UpToDate", "Revoked"},
      {"OutOfDate", "OutOfDate", "Revoked", "Revoked"},
      {"Revoked", "OutOfDate", "UpToDate", "Revoked"}};
  for (const StatusCase& each : kCases) {
    Recipe recipe;
    recipe.set_status(each.platform, each.module, each.qe);
    const QuoteVerdict verdict = make_evidence(recipe).verify();
    ASSERT_TRUE(verdict.tcb) << message_of(verdict);
    EXPECT_EQ(name_of(verdict.tcb->status), each.together)
        << each.platform << ' ' << each.module << ' ' << each.qe;
  }
}

TEST(QuoteVerifier, AsksForTheModulesVersionOnlyWhereThereIsOne) {
  Recipe recipe;
  recipe.report.tee_tcb_svn = {2, 0, 2};
  QuoteVerdict verdict = make_evidence(recipe).verify();
  EXPECT_EQ(type_of(verdict), reason::kNoTcbLevel);  // all components count without a version
  recipe.report.tee_tcb_svn = {3, 0, 2};
  verdict = make_evidence(recipe).verify();
  ASSERT_TRUE(verdict.is_accepted) << message_of(verdict);
  EXPECT_FALSE(verdict.tcb->module);
}

TEST(QuoteVerifier, AdvisesToRelaunchWhereTheModuleWasReplaced) {
  Recipe recipe;
  recipe.version = 5;
  recipe.report.is_td15 = true;
  recipe.set_status("UpToDate", "UpToDate", "UpToDate");
  boost::json::array& levels =
      recipe.tcb_info["tdxModuleIdentities"].as_array()[0].at("tcbLevels").as_array();
  boost::json::object old = levels[0].as_object();
  levels[0].at("tcb").at("isvsvn") = 4;
  old["tcbStatus"] = "OutOfDate";
  levels.push_back(old);
  recipe.report.tee_tcb_svn2 = {3, 1, 2};
  EXPECT_EQ(make_evidence(recipe).verify().tcb->status, TcbStatus::kOutOfDate);
  recipe.report.tee_tcb_svn2 = {4, 1, 2};
  const QuoteVerdict verdict = make_evidence(recipe).verify();
  EXPECT_EQ(verdict.tcb->status, TcbStatus::kTdRelaunchAdvised);
  EXPECT_EQ(type_of(verdict), reason::kTcbStatus);
}

TEST(QuoteVerifier, AcceptsMoreStatusesWhenTold) {
  Recipe recipe;
  recipe.set_status("OutOfDate", "UpToDate", "UpToDate");
  MadeEvidence made = make_evidence(recipe);
  made.options.policy.accepted_statuses = {TcbStatus::kOutOfDate};
  EXPECT_TRUE(made.verify().is_accepted);
}

TEST(QuoteVerifier, IgnoresOnlyWhatFollowsTheSignature) {
  Recipe recipe;
  recipe.has_nul = false;
  recipe.trailing = Bytes(70, 0xee);
  MadeEvidence made = make_evidence(recipe);
  EXPECT_TRUE(made.verify().is_accepted);
  const std::size_t end = made.quote.size() - recipe.trailing.size();
  for (std::size_t size = 0; size < end; ++size) {
    const BytesView cut(made.quote.data(), size);
    const QuoteVerdict verdict = verify_quote(cut, made.collateral, made.options);
    ASSERT_EQ(type_of(verdict), reason::kQuoteMalformed) << "cut to " << size;
  }
  made.quote.resize(end);
  EXPECT_TRUE(made.verify().is_accepted);
}

TEST(QuoteVerifier, RejectsEveryChangedByte) {
  Recipe recipe;
  recipe.has_nul = false;
  MadeEvidence made = make_evidence(recipe);
  ASSERT_TRUE(made.verify().is_accepted);
  for (std::size_t at = 0; at < made.quote.size(); ++at) {
    const auto mask = static_cast<std::uint8_t>(1U << (at % 8));
    made.quote[at] ^= mask;
    ASSERT_FALSE(made.verify().is_genuine) << "byte " << at << " of " << made.quote.size();
    made.quote[at] ^= mask;
  }
}

TEST(QuoteVerifier, LeavesNoErrorBehind) {
  ERR_clear_error();
  MadeEvidence made = make_evidence(Recipe());
  made.quote[1000] ^= 1;
  EXPECT_FALSE(made.verify().is_genuine);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PlatformOf, SaysWhatToAskFor) {
  Recipe recipe;
  Result<Quote> quote = parse_quote(make_evidence(recipe).quote);
  ASSERT_TRUE(quote);
  Result<Platform> platform = platform_of(*quote);
  ASSERT_TRUE(platform);
  EXPECT_EQ(to_hex(platform->fmspc), "90c06f000000");
  EXPECT_EQ(platform->ca, "platform");
  recipe.ca_name = "Intel SGX PCK Processor CA";
  quote = parse_quote(make_evidence(recipe).quote);
  EXPECT_EQ(platform_of(*quote)->ca, "processor");
  quote->pck_chain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(platform_of(*quote));
}

}  // namespace
}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// Reports that providers really gave.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "common/attestation/reason.hpp"
#include "common/attestation/report_verifier.hpp"
#include "recorded.hpp"
#include "verdicts.hpp"

namespace backplane::attestation {
namespace {

namespace json = boost::json;

struct Recorded {
  std::string text;
  Collateral collateral;
  ReportOptions options;

  ReportVerdict verify() const { return verify_text(text, collateral, options); }
};

Recorded read_recorded(const std::string& file, const std::string& collateral,
                       std::int64_t unix_time) {
  Recorded recording;
  recording.text = recorded(file);
  recording.collateral = *parse_collateral(recorded(collateral));
  recording.options.quote.unix_time = unix_time;
  return recording;
}

std::string outcome_of(const EvidenceVerdict& verdict, std::string_view name) {
  for (const Finding& finding : verdict.findings) {
    if (finding.name != name) continue;
    return finding.outcome == Outcome::kPassed ? "passed" : finding.note;
  }
  return "absent";
}

void expect_accepted(const json::value& entry, const Recorded& recording) {
  const ReportVerdict verdict = recording.verify();
  ASSERT_TRUE(verdict.is_accepted) << verdict.rejection->message;
  const json::value& expect = entry.at("expect");
  for (const EvidenceVerdict& each : verdict.evidences) {
    EXPECT_EQ(name_of(each.quote.tcb->status), string_at(expect, "tcb"));
    EXPECT_EQ(outcome_of(each, "event_log"), "passed");
    EXPECT_EQ(outcome_of(each, "freshness"), "passed");
  }
  const EvidenceVerdict& first = verdict.evidences.front();
  EXPECT_EQ(first.bound.signing_address, string_at(expect, "address"));
  EXPECT_EQ(first.bound.nonce_method, "raw");
  EXPECT_EQ(outcome_of(first, "compose_hash"), "passed");
  EXPECT_EQ(outcome_of(first, "gpu_nonce"), "passed");
}

TEST(RecordedReports, OfProvidersAreAccepted) {
  if (!has_recorded()) GTEST_SKIP() << "no recorded evidence beside the repository";
  const json::value manifest = recorded_json("attestation/MANIFEST.json");
  int count = 0;
  for (const json::value& entry : manifest.as_array()) {
    const json::value* nonce = entry.as_object().if_contains("client_nonce");
    if (nonce == nullptr) continue;
    SCOPED_TRACE(string_at(entry, "file"));
    Recorded recording = read_recorded(string_at(entry, "file"), string_at(entry, "collateral"),
                                       entry.at("captured_at").as_int64());
    recording.options.nonce = field_from_hex<32>(nonce->as_string());
    expect_accepted(entry, recording);
    // A nonce of somebody else's, and a GPU of another machine.
    recording.options.nonce->at(0) ^= 1;
    EXPECT_EQ(recording.verify().rejection->type, reason::kNonce);
    recording.options.nonce.reset();
    json::value changed = json::parse(recording.text);
    json::value& payload = changed.at("attestation").at("nvidia_payload");
    json::value gpu = json::parse(payload.as_string());
    gpu.at("nonce") = std::string(64, '0');
    payload = json::serialize(gpu);
    recording.text = json::serialize(changed);
    EXPECT_EQ(recording.verify().rejection->type, reason::kGpuNonce);
    ++count;
  }
  EXPECT_EQ(count, 2);
}

TEST(RecordedReports, OfMachinesAreAccepted) {
  if (!has_recorded()) GTEST_SKIP() << "no recorded evidence beside the repository";
  Recorded recording = read_recorded("attestation/dstack_sample_info_and_quote.json",
                                     "collateral/pcs_20a06f000000_2025-09.json", 1'758'093'775);
  ReportVerdict verdict = recording.verify();
  ASSERT_TRUE(verdict.is_accepted) << verdict.rejection->message;
  EXPECT_EQ(verdict.shape, "dstack");
  EXPECT_EQ(outcome_of(verdict.evidences[0], "event_log"), "passed");
  EXPECT_EQ(outcome_of(verdict.evidences[0], "compose_hash"), "passed");
  EXPECT_EQ(verdict.evidences[0].measurements.at("compose_hash"),
            "62dd36d22b7d704aaa4d598226801ed4e6a3bfd17dde762b2efd9876768be800");

  recording = read_recorded("attestation/dstack_quote-report.json",
                            "collateral/pcs_90c06f000000_2026-03.json", 1'772'707'803);
  verdict = recording.verify();
  ASSERT_TRUE(verdict.is_accepted) << verdict.rejection->message;
  EXPECT_EQ(outcome_of(verdict.evidences[0], "event_log"), "passed");
  json::value changed = json::parse(recording.text);
  changed.at("report_data") = std::string(128, '0');
  recording.text = json::serialize(changed);
  EXPECT_EQ(recording.verify().rejection->type, reason::kReportData);
}

TEST(RecordedReports, OfNvidiaAreNoQuotes) {
  if (!has_recorded()) GTEST_SKIP() << "no recorded evidence beside the repository";
  const Result<Report> report = read_report(recorded("attestation/nras_sample_response.json"));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().type, reason::kNotQuote);
}

}  // namespace
}  // namespace backplane::attestation

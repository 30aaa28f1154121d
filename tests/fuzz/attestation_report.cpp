// SPDX-License-Identifier: Apache-2.0
// Reports and collateral of whatever bytes: none is accepted, as no quote in them is under the
// root, and what is said of them is whole JSON.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "common/attestation/canonical_json.hpp"
#include "common/attestation/json_fields.hpp"
#include "common/attestation/reason.hpp"
#include "common/attestation/verdict_json.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "tests/plugins/backends/common/attestation/made_evidence.hpp"

namespace backplane::fuzz {
namespace {

using namespace attestation;

const MadeEvidence& good() {
  static const MadeEvidence made = make_evidence(Recipe());
  return made;
}

void check_report(std::string_view text) {
  const Result<Report> report = read_report(text);
  if (!report) {
    expect(!report.error().type.empty(), "a report refused without a reason");
    return;
  }
  expect(!report->evidences.empty() && report->evidences.size() <= kEvidencesMax,
         "a report without evidence, or with too much");
  expect(platforms_of(*report).size() <= report->evidences.size(), "too many platforms");
  ReportOptions options;
  options.quote = good().options;
  const auto source = [](const Platform&) { return &good().collateral; };
  const ReportVerdict verdict = verify_report(*report, source, options);
  expect(!verdict.is_accepted && verdict.rejection.has_value(), "a report is accepted");
  boost::system::error_code error;
  boost::json::parse(boost::json::serialize(to_json(verdict)), error);
  expect(!error, "a verdict that is no JSON");
}

// What the quote cannot lead to here: the binding and the log, of the evidence alone.
void check_evidence(std::string_view text) {
  const Result<Report> report = read_report(text);
  if (!report) return;
  for (const Evidence& evidence : report->evidences) {
    static_cast<void>(check_binding(evidence, Field<64>{}, std::nullopt));
    if (!evidence.events) continue;
    expect(bool(check_replay(*evidence.events, replayed(*evidence.events))),
           "a log does not lead where it leads");
  }
}

void check_canonical(std::string_view text) {
  const Result<boost::json::value> value = parse_json(text);
  if (!value) return;
  const std::optional<std::string> canonical = canonical_json(*value);
  if (!canonical) return;
  const Result<boost::json::value> again = parse_json(*canonical);
  expect(bool(again), "a canonical text that is no JSON");
  expect_same(*canonical, canonical_json(*again).value_or(""), "two canonical texts");
}

void check_collateral(std::string_view text) {
  const Result<Collateral> collateral = parse_collateral(text);
  if (!collateral) return;
  const QuoteVerdict verdict = verify_quote(good().quote, *collateral, good().options);
  expect(!verdict.is_genuine, "collateral of nobody is taken");
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const std::string_view text = text_of(data, size);
  check_report(text);
  check_evidence(text);
  check_canonical(text);
  check_collateral(text);
  return 0;
}

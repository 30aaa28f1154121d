// SPDX-License-Identifier: Apache-2.0
// What tests ask of verdicts, made or recorded.
#pragma once

#include <string>
#include <string_view>

#include "common/attestation/report_verifier.hpp"

namespace backplane::attestation {

// Empty: accepted.
template <class Verdict>
std::string type_of(const Verdict& verdict) {
  return verdict.rejection ? verdict.rejection->type : "";
}
template <class Verdict>
std::string message_of(const Verdict& verdict) {
  return verdict.rejection ? verdict.rejection->message : "";
}

// A text that is no report is rejected, too.
inline ReportVerdict verify_text(std::string_view text, const Collateral& collateral,
                                 const ReportOptions& options) {
  const Result<Report> report = read_report(text);
  if (report) {
    return verify_report(
        *report, [&](const Platform&) { return &collateral; }, options);
  }
  ReportVerdict verdict;
  verdict.rejection = report.error();
  return verdict;
}

}  // namespace backplane::attestation

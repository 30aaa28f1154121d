// SPDX-License-Identifier: Apache-2.0
// Finds where a platform, its TDX module and its quoting enclave stand among the levels that Intel
// publishes. Source: Intel TDX DCAP Quote Verification Library, "TCB evaluation"; as there, the
// first two components are left to the module's own levels where the module has a version.
#pragma once

#include "common/attestation/pck_extension.hpp"
#include "common/attestation/quote.hpp"
#include "common/attestation/tcb_info.hpp"

namespace backplane::attestation {

struct TcbEvaluation {
  TcbStatus status = TcbStatus::kRevoked;  // of all together
  TcbStatus platform = TcbStatus::kRevoked;
  std::optional<TcbStatus> module;  // none: the platform's status covers it
  TcbStatus qe = TcbStatus::kRevoked;
  std::string date;                     // of the oldest level that was matched
  std::vector<std::string> advisories;  // of the matched levels, each once
};

// Errors: reason::kFmspc, kTdxModule, kQeIdentity, kNoTcbLevel.
Result<TcbEvaluation> evaluate_tcb(const Quote& quote, const PckExtension& pck, const TcbInfo& info,
                                   const QeIdentity& identity);

// Whether the report is of the enclave that `identity` describes. Errors: reason::kQeIdentity.
Status check_qe_identity(const QeReport& report, const QeIdentity& identity);

}  // namespace backplane::attestation

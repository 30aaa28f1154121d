// SPDX-License-Identifier: Apache-2.0
// What is checked of an evidence beside its quote and its key. Each notes what it found, and
// returns what is wrong.
#pragma once

#include "common/attestation/report_verifier.hpp"

namespace backplane::attestation {

Status check_model(const Evidence& evidence, const ReportOptions& options, EvidenceVerdict& out);
// The log leads to the quote's registers; the measured configuration is the one that is shown.
Status check_software(const Evidence& evidence, EvidenceVerdict& out);
// All nonces of the GPUs' evidence are the quote's; their signatures are not verified.
Status check_gpu(const Evidence& evidence, EvidenceVerdict& out);
Status check_actions(const Evidence& evidence, EvidenceVerdict& out);
Status check_allowed(const ReportOptions& options, EvidenceVerdict& out);

}  // namespace backplane::attestation

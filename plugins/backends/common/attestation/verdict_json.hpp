// SPDX-License-Identifier: Apache-2.0
// A verdict as JSON: what receipts keep and `backplane attest --json` prints; docs/attestation.md
// names the members.
#pragma once

#include <boost/json/object.hpp>

#include "common/attestation/report_verifier.hpp"

namespace backplane::attestation {

std::string_view name_of(Outcome outcome);  // "passed", "failed", "not_checked"

boost::json::object to_json(const EvidenceVerdict& verdict);
boost::json::object to_json(const ReportVerdict& verdict);

// The one that a summary is about: the first rejected, or else the first; null where there is none.
const EvidenceVerdict* leading(const ReportVerdict& verdict);

}  // namespace backplane::attestation

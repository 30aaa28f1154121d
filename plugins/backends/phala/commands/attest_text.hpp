// SPDX-License-Identifier: Apache-2.0
// A verdict for people.
#pragma once

#include <string>

#include "common/attestation/report_verifier.hpp"

namespace backplane::phala {

// Lines; what the report says of itself is cleaned of everything but printable ASCII.
std::string verdict_text(const attestation::ReportVerdict& verdict);

}  // namespace backplane::phala

// SPDX-License-Identifier: Apache-2.0
// A verdict for people.
#pragma once

#include <string>

#include "common/attestation/report_verifier.hpp"
#include "common/receipts/receipt_verifier.hpp"

namespace backplane::phala {

// Lines; what the report says of itself is cleaned of everything but printable ASCII.
std::string verdict_text(const attestation::ReportVerdict& verdict);

// Likewise, of a receipt and of the evidence in it.
std::string verdict_text(const receipts::Receipt& receipt, const receipts::ReceiptVerdict& verdict);

}  // namespace backplane::phala

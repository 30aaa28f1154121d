// SPDX-License-Identifier: Apache-2.0
// Verifies a receipt anew, by nothing but what it holds, collateral, and the bytes themselves where
// they are at hand: the quote, the nonce and the key that it binds, the signature by that key, and
// that what was signed are the hashes of this request and this response. [any-thread]
#pragma once

#include <optional>

#include "common/attestation/report_verifier.hpp"
#include "common/receipts/receipt.hpp"

namespace backplane::receipts {

namespace reason {
inline constexpr std::string_view kNoEvidence = "NO_EVIDENCE";
inline constexpr std::string_view kAbsent = "SIGNATURE_ABSENT";
inline constexpr std::string_view kSignature = "SIGNATURE";
inline constexpr std::string_view kSignedBytes = "SIGNED_BYTES";  // others than these
inline constexpr std::string_view kModel = "MODEL";
}  // namespace reason

struct VerifierOptions {
  attestation::QuoteOptions quote;
  // Of the request and the response themselves, in hexadecimal; none: not at hand.
  std::optional<std::string> request_sha256;
  std::optional<std::string> response_sha256;
};

struct ReceiptVerdict {
  bool is_accepted = false;
  std::optional<Error> rejection;
  // "attestation", "signing_key", "signature", "request", "response".
  std::vector<attestation::Finding> findings;
  attestation::ReportVerdict attestation;
};

// The evidence as a report; errors: reason::kNoEvidence, or those of attestation::read_report.
Result<attestation::Report> evidence_of(const Receipt& receipt);

ReceiptVerdict verify_receipt(const Receipt& receipt,
                              const attestation::CollateralSource& collateral,
                              const VerifierOptions& options);

// What a provider's signature must hold for, the parts that need no quote: `signer` has signed the
// text, which speaks of this model, where it speaks of one, and of these bytes. Errors: DATA_LOSS,
// of reason::.
Status check_signature_of(const SignatureFacts& signature, std::string_view model,
                          const HashedBytes& request, const HashedBytes& response,
                          std::string_view algorithm, std::string_view address);

}  // namespace backplane::receipts

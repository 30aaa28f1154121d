// SPDX-License-Identifier: Apache-2.0
#include "common/receipts/receipt_verifier.hpp"

#include <boost/json/serialize.hpp>

#include "common/attestation/reason.hpp"
#include "common/sealing/response_signature.hpp"

namespace backplane::receipts {
namespace {

using attestation::EvidenceVerdict;
using attestation::Outcome;
using attestation::Report;

Error fault(std::string_view type, std::string message) {
  return {Code::kDataLoss, std::move(message), std::string(type), 502, 0};
}

Error named(std::string_view type, const Error& why) {
  return fault(type, why.message);
}

void note(ReceiptVerdict& verdict, std::string_view name, const Status& status,
          std::string_view passed) {
  if (status) {
    verdict.findings.push_back({name, Outcome::kPassed, std::string(passed)});
    return;
  }
  verdict.findings.push_back({name, Outcome::kFailed, status.error().message});
  if (!verdict.rejection) verdict.rejection = status.error();
}

// The receipt's word and the quote's: the key is the one that is bound.
Status check_key(const Receipt& receipt, const EvidenceVerdict& evidence) {
  const attestation::Bound& bound = evidence.bound;
  const AttestationFacts& facts = receipt.attestation;
  if (bound.signing_address.empty() || bound.signing_address != facts.signing_address ||
      bound.signing_algorithm != facts.signing_algorithm) {
    return attestation::rejected(attestation::reason::kSigningKey,
                                 "the quote binds another key than the receipt names");
  }
  if (attestation::to_hex(evidence.quote.quote_sha256) != facts.quote_sha256) {
    return attestation::rejected(attestation::reason::kReportData,
                                 "the quote is another one than the receipt names");
  }
  return ok();
}

Status check_attestation(const Receipt& receipt, const attestation::CollateralSource& collateral,
                         const VerifierOptions& options, ReceiptVerdict& verdict) {
  const Result<Report> report = evidence_of(receipt);
  if (!report) return report.error();
  attestation::ReportOptions report_options;
  report_options.quote = options.quote;
  report_options.nonce = attestation::field_from_hex<32>(receipt.attestation.nonce);
  report_options.requires_key = true;
  if (!report_options.nonce) {
    return attestation::rejected(attestation::reason::kNonce, "the receipt has no nonce");
  }
  verdict.attestation = attestation::verify_report(*report, collateral, report_options);
  if (verdict.attestation.rejection) return *verdict.attestation.rejection;
  return ok();
}

Status check_file(std::string_view name, const std::optional<std::string>& sha256,
                  const HashedBytes& expected) {
  if (*sha256 == expected.sha256) return ok();
  return fault(reason::kSignedBytes,
               "the " + std::string(name) + " is another one than that of the receipt");
}

void add_file(ReceiptVerdict& verdict, std::string_view name,
              const std::optional<std::string>& sha256, const HashedBytes& expected) {
  if (!sha256) {
    verdict.findings.push_back({name, Outcome::kNotChecked, "its bytes were not given"});
    return;
  }
  note(verdict, name, check_file(name, sha256, expected), "it has the hash of the receipt");
}

}  // namespace

Result<Report> evidence_of(const Receipt& receipt) {
  if (receipt.attestation.evidence.empty()) {
    return fault(reason::kNoEvidence, "the receipt holds no evidence: it was too large, or absent");
  }
  return attestation::read_report(boost::json::serialize(receipt.attestation.evidence));
}

Status check_signature_of(const SignatureFacts& signature, std::string_view model,
                          const HashedBytes& request, const HashedBytes& response,
                          std::string_view algorithm, std::string_view address) {
  const Result<sealing::SignedHashes> hashes = sealing::split_signed_text(signature.text);
  if (!hashes) return named(reason::kSignature, hashes.error());
  if (!hashes->model.empty() && hashes->model != model) {
    return fault(reason::kModel, "the signature is of another model's answer");
  }
  const Status same = sealing::check_hashes(*hashes, request.sha256, response.sha256);
  if (!same) return named(reason::kSignedBytes, same.error());
  const Result<sealing::Signer> signer = sealing::parse_signer(algorithm, address);
  if (!signer) return named(reason::kSignature, signer.error());
  const Status is_signed = sealing::check_signature(
      {signature.text, signature.signature, {}, signature.algorithm}, *signer);
  return is_signed ? ok() : Status(named(reason::kSignature, is_signed.error()));
}

ReceiptVerdict verify_receipt(const Receipt& receipt,
                              const attestation::CollateralSource& collateral,
                              const VerifierOptions& options) {
  ReceiptVerdict verdict;
  const Status attested = check_attestation(receipt, collateral, options, verdict);
  note(verdict, "attestation", attested, "the quote is genuine, and binds the nonce");
  if (attested) {
    note(verdict, "signing_key", check_key(receipt, verdict.attestation.evidences.front()),
         "the quote binds it");
  } else {
    verdict.findings.push_back({"signing_key", Outcome::kNotChecked, "nothing is proven of it"});
  }
  if (receipt.signature.text.empty() || receipt.signature.signature.empty()) {
    note(verdict, "signature", fault(reason::kAbsent, "the receipt holds no signature"), {});
  } else {
    note(verdict, "signature",
         check_signature_of(receipt.signature, receipt.model, receipt.request, receipt.response,
                            receipt.attestation.signing_algorithm,
                            receipt.attestation.signing_address),
         "by that key, over the hashes of the request and of the response");
  }
  add_file(verdict, "request", options.request_sha256, receipt.request);
  add_file(verdict, "response", options.response_sha256, receipt.response);
  verdict.is_accepted = !verdict.rejection;
  return verdict;
}

}  // namespace backplane::receipts

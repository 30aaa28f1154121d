// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/model_proof.hpp"

#include <algorithm>
#include <utility>

#include "common/attestation/reason.hpp"
#include "common/attestation/verdict_json.hpp"

namespace backplane::sealed_calls {
namespace {

using attestation::Evidence;
using attestation::EvidenceVerdict;
using receipts::AttestationFacts;

bool has_passed(const EvidenceVerdict& verdict, std::string_view name) {
  return std::any_of(verdict.findings.begin(), verdict.findings.end(), [&](const auto& finding) {
    return finding.name == name && finding.outcome == attestation::Outcome::kPassed;
  });
}

// Only what was bound, for this nonce, by a quote that was accepted.
bool is_proven(const EvidenceVerdict& verdict) {
  return verdict.is_accepted && verdict.role != "gateway" && verdict.role != "compose_manager" &&
         has_passed(verdict, "signing_key") && has_passed(verdict, "freshness");
}

boost::json::object evidence_json(const Evidence& evidence, std::string_view nonce) {
  boost::json::object json{{"intel_quote", attestation::to_hex(evidence.quote)},
                           {"request_nonce", nonce}};
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"model", evidence.model},
      {"signing_algo", evidence.signing_algorithm},
      {"signing_address", evidence.signing_address},
      {"signing_public_key", evidence.signing_key},
      {"tls_cert_fingerprint", evidence.tls_fingerprint}};
  for (const auto& [name, value] : texts) {
    if (!value.empty()) json[name] = value;
  }
  return json;
}

AttestationFacts facts_of(const Evidence& evidence, const EvidenceVerdict& verdict,
                          const attestation::ReportVerdict& report, std::string_view nonce) {
  AttestationFacts facts;
  facts.verdict = verdict.is_accepted ? "accepted" : "rejected";
  if (verdict.rejection) {
    facts.reason = verdict.rejection->type;
    facts.message = verdict.rejection->message;
  }
  facts.unix_time = report.unix_time;
  facts.nonce = nonce;
  facts.quote_sha256 = attestation::to_hex(verdict.quote.quote_sha256);
  if (verdict.quote.tcb) {
    facts.tcb_status = attestation::name_of(verdict.quote.tcb->status);
    facts.advisories = verdict.quote.tcb->advisories;
  }
  facts.signing_algorithm = verdict.bound.signing_algorithm;
  facts.signing_address = verdict.bound.signing_address;
  facts.signing_key = verdict.bound.signing_key;
  if (verdict.quote.is_genuine) facts.measurements = verdict.measurements;
  facts.evidence = evidence_json(evidence, nonce);
  return facts;
}

Error no_key() {
  return attestation::rejected(attestation::reason::kSigningKey,
                               "no key is bound to a quote and to the nonce");
}

void reject(ModelProof& proof, const Error& why) {
  proof.rejection = attestation_rejected(why);
  proof.facts.verdict = "rejected";
  proof.facts.reason = why.type;
  proof.facts.message = why.message;
  proof.signers.clear();
  proof.seal_key.clear();
}

}  // namespace

Error attestation_rejected(const Error& why) {
  return {Code::kPermissionDenied, "the model's attestation was rejected: " + why.message, why.type,
          502, 0};
}

ModelProof proof_of(const attestation::Report& report, const attestation::ReportVerdict& verdict,
                    const ProofOptions& options) {
  ModelProof proof;
  proof.unix_time_s = verdict.unix_time;
  const EvidenceVerdict* leading = attestation::leading(verdict);
  bool is_any_proven = false;
  for (std::size_t at = 0; at < verdict.evidences.size(); ++at) {
    const EvidenceVerdict& each = verdict.evidences[at];
    AttestationFacts facts = facts_of(report.evidences[at], each, verdict, options.nonce);
    if (&each == leading) proof.facts = facts;
    if (!is_proven(each)) continue;
    is_any_proven = true;
    const bool is_wanted = each.bound.signing_algorithm == options.signing_algorithm;
    if (is_wanted && proof.seal_key.empty()) proof.seal_key = each.bound.signing_key;
    if (!each.bound.signing_address.empty()) proof.signers.push_back(std::move(facts));
  }
  if (verdict.rejection) {
    reject(proof, *verdict.rejection);
  } else if (!is_any_proven || (options.needs_seal_key && proof.seal_key.empty())) {
    reject(proof, no_key());
  }
  return proof;
}

ModelProof no_proof(const Error& why, std::string_view verdict, std::string_view nonce,
                    std::int64_t unix_time_s) {
  ModelProof proof;
  proof.rejection = why;
  proof.unix_time_s = unix_time_s;
  proof.facts.verdict = verdict;
  proof.facts.reason = why.type;
  proof.facts.message = why.message;
  proof.facts.unix_time = unix_time_s;
  proof.facts.nonce = nonce;
  return proof;
}

}  // namespace backplane::sealed_calls

// SPDX-License-Identifier: Apache-2.0
// What a model has proven of itself, or why it has not. Immutable once made. [any-thread]
#pragma once

#include "common/attestation/report_verifier.hpp"
#include "common/receipts/receipt.hpp"

#include <backplane/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::sealed_calls {

struct ModelProof {
  std::optional<Error> rejection;  // none: proven
  std::int64_t unix_time_s = 0;    // at which it was verified
  std::int64_t until_unix_time_s = 0;
  std::string seal_key;  // of the algorithm asked for; empty: none is bound
  // One for each key that a quote binds together with the nonce, the replicas' included: any may
  // sign an answer. The algorithm and the address in it are proven.
  std::vector<receipts::AttestationFacts> signers;
  receipts::AttestationFacts
      facts;  // of the quote that says most: the first rejected, or the first
};

struct ProofOptions {
  std::string nonce;              // that was asked with
  std::string signing_algorithm;  // of the key that is wanted
  bool needs_seal_key = true;     // and for sealing, so that its point has to be bound
};

// `verdict` is that of `report`.
ModelProof proof_of(const attestation::Report& report, const attestation::ReportVerdict& verdict,
                    const ProofOptions& options);
// Of what could not even be had or read. `verdict`: "absent" or "rejected".
ModelProof no_proof(const Error& why, std::string_view verdict, std::string_view nonce,
                    std::int64_t unix_time_s);

// 502, so that another route is tried, with the reason as its type.
Error attestation_rejected(const Error& why);

}  // namespace backplane::sealed_calls

// SPDX-License-Identifier: Apache-2.0
// What the report data of a quote binds: the key that answers are signed or encrypted with, and the
// nonce that was asked with. [any-thread]
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/report.hpp"

namespace backplane::attestation {

struct Bound {
  std::string method;             // how the key is bound, in a few words; empty: nothing is bound
  std::string nonce_method;       // "raw", "sha256", "statement"; empty: no nonce is bound
  std::string nonce;              // the one that is
  std::string signing_algorithm;  // "ecdsa" or "ed25519"
  std::string signing_address;    // lower case, after 0x for an address of Ethereum
  std::string signing_key;        // hex as the report has it, where it is bound too
};

// `nonce`: what was asked with, if anything was; without it the nonce that the report names must be
// the bound one. Errors: reason::kReportData, kSigningKey, kNonce.
Result<Bound> check_binding(const Evidence& evidence, const Field<64>& report_data,
                            const std::optional<Field<32>>& nonce);

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// Verifies a TDX quote against collateral at a given time: nobody else is asked. The steps and
// their order are those of docs/attestation.md. Pure functions [any-thread].
#pragma once

#include "common/attestation/collateral.hpp"
#include "common/attestation/tcb_evaluation.hpp"
#include "common/attestation/td_policy.hpp"
#include "common/attestation/trust_anchor.hpp"

namespace backplane::attestation {

struct QuoteOptions {
  std::int64_t unix_time = 0;
  TrustAnchor anchor = intel_sgx_root();
  QuotePolicy policy;
};

// Accepted: genuine, and as the policy wants it. What is set of the rest says how far the quote
// came.
struct QuoteVerdict {
  bool is_accepted = false;
  bool is_genuine = false;  // signed by an enclave of Intel's on a platform whose TCB is known
  std::optional<Error> rejection;  // its type is one of reason::
  Field<32> quote_sha256{};
  std::optional<Quote> quote;  // it could be parsed; nothing in it is proven unless is_genuine
  std::optional<PckExtension> platform;
  std::optional<TcbEvaluation> tcb;
  std::uint64_t evaluation_number = 0;
  std::int64_t expires = 0;  // unix time at which the first piece of collateral does
};

QuoteVerdict verify_quote(BytesView quote, const Collateral& collateral,
                          const QuoteOptions& options);

// What to ask Intel's service for.
struct Platform {
  Field<6> fmspc{};
  std::string_view ca;  // "platform" or "processor", who issued the PCK certificate
};
// Read from the quote's certificate, of which nothing is verified yet.
Result<Platform> platform_of(const Quote& quote);

}  // namespace backplane::attestation

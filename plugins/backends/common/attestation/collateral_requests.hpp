// SPDX-License-Identifier: Apache-2.0
// Where the collateral of a platform is to be had, and how the answers become one: for whoever has
// an HTTP client. Source: Intel PCS API, version 4; caches (PCCS) speak the same.
#pragma once

#include "common/attestation/quote_verifier.hpp"

namespace backplane::attestation {

inline constexpr std::string_view kIntelPcs = "https://api.trustedservices.intel.com";
inline constexpr std::size_t kCollateralAnswerBytesMax = 4 * 1024 * 1024;

struct CollateralRequest {
  std::string url;                       // to GET
  std::string_view issuer_chain_header;  // of the answer, in lower case; empty: none is needed
  std::string_view other_issuer_header;  // the name that some versions use instead; or empty
};

struct CollateralRequests {
  CollateralRequest tcb_info;
  CollateralRequest qe_identity;
  CollateralRequest pck_crl;
  CollateralRequest root_crl;
};

// `base_url`: scheme, host and perhaps a path, with or without a slash at its end. Intel's own
// service has the root's list at the address that the root certificate names, caches have it below
// their own.
CollateralRequests collateral_requests(const Platform& platform, std::string_view base_url);

struct CollateralAnswer {
  std::string body;
  std::string issuer_chain;  // as the header has it, percent-encoded
};

struct CollateralAnswers {
  CollateralAnswer tcb_info;
  CollateralAnswer qe_identity;
  CollateralAnswer pck_crl;
  CollateralAnswer root_crl;
};

// Errors: reason::kCollateralMalformed. Nothing is verified.
Result<Collateral> collateral_from(const CollateralAnswers& answers);

}  // namespace backplane::attestation

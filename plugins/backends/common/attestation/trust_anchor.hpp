// SPDX-License-Identifier: Apache-2.0
// What all trust in a quote comes down to.
#pragma once

#include "common/attestation/bytes.hpp"

namespace backplane::attestation {

// The key of a root certificate, a point of P-256 as X‖Y. The certificate itself comes with each
// quote and must be signed by this key.
struct TrustAnchor {
  Field<64> root_key{};
};

// The key of "Intel SGX Root CA", whose certificate of 2018-05-21 has the sha256
// 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3.
const TrustAnchor& intel_sgx_root();

}  // namespace backplane::attestation

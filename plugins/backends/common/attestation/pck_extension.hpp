// SPDX-License-Identifier: Apache-2.0
// What a PCK certificate says of its platform, in the extension 1.2.840.113741.1.13.1.
// Source: Intel SGX PCK Certificate and CRL Profile Specification.
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/bytes.hpp"
#include "common/attestation/openssl_handles.hpp"

namespace backplane::attestation {

struct PckExtension {
  Field<16> sgx_svn{};  // of each component
  std::uint16_t pce_svn = 0;
  Field<2> pce_id{};
  Field<6> fmspc{};
};

// Each member exactly once; errors: reason::kPckCertificate.
Result<PckExtension> read_pck_extension(const X509& certificate);

}  // namespace backplane::attestation

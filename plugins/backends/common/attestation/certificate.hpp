// SPDX-License-Identifier: Apache-2.0
// X.509 certificates and their ways to the root, through OpenSSL. [any-thread]
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/openssl_handles.hpp"
#include "common/attestation/trust_anchor.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kRevocationListBytesMax = 4 * 1024 * 1024;

// From the leaf to the root. Every certificate must be DER as an encoder would write it.
Result<std::vector<Certificate>> certificates_from_pem(std::string_view pem);
// Null when `der` is not a CRL, or not just as an encoder would write it.
RevocationList revocation_list(BytesView der);

std::string common_name(const X509& certificate);
std::string issuer_common_name(const X509& certificate);

// The way from `chain`'s first certificate to its last at `unix_time`: each signed by the next with
// ECDSA P-256 and SHA-256, the last by itself with the key of the anchor; all valid at that time,
// and none of them revoked. For the issuer of each there must be a list, signed by it and of that
// time.
Status check_chain(const std::vector<Certificate>& chain,
                   const std::vector<const RevocationList*>& lists, const TrustAnchor& anchor,
                   std::int64_t unix_time);

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// ECDSA over P-256 with SHA-256, as quotes and collateral carry it: r‖s. [any-thread]
#pragma once

#include "common/attestation/bytes.hpp"
#include "common/attestation/openssl_handles.hpp"

namespace backplane::attestation {

// Null unless X‖Y is a point of P-256.
PublicKey p256_key(const Field<64>& point);
bool is_p256(const EVP_PKEY* key);
// X‖Y; nothing for a key of another curve.
std::optional<Field<64>> p256_point(const EVP_PKEY* key);

bool is_signed_by(EVP_PKEY* key, BytesView data, const Field<64>& signature);

}  // namespace backplane::attestation

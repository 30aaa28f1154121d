// SPDX-License-Identifier: Apache-2.0
// What Intel publishes about platforms and must be at hand to verify a quote: texts and bytes just
// as they were signed. Nothing is verified here. [any-thread]
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/bytes.hpp"

namespace backplane::attestation {

struct Collateral {
  std::string tcb_info;  // the JSON that is signed, byte by byte
  Field<64> tcb_info_signature{};
  std::string tcb_info_chain;  // PEM
  std::string qe_identity;
  Field<64> qe_identity_signature{};
  std::string qe_identity_chain;
  Bytes root_crl;  // DER
  Bytes pck_crl;
};

// A document with the members tcb_info, tcb_info_signature, tcb_info_issuer_chain, qe_identity,
// qe_identity_signature, qe_identity_issuer_chain, root_ca_crl and pck_crl. Signatures are hex,
// CRLs hex, base64 or PEM; issuer chains may be percent-encoded. Others are ignored, as the quote
// brings its own certificates. Errors: reason::kCollateralMalformed.
Result<Collateral> parse_collateral(std::string_view json);
// What parse_collateral reads.
std::string to_json(const Collateral& collateral);

// A revocation list in DER, PEM, hex or base64, as DER.
std::optional<Bytes> crl_der(std::string_view text);

// The raw bytes of member `name` of the JSON object `text`, which has been parsed; empty where it
// is not there. Of several the last is meant, as for the parser.
std::string_view raw_member(std::string_view text, std::string_view name);

}  // namespace backplane::attestation

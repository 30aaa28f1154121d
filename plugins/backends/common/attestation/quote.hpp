// SPDX-License-Identifier: Apache-2.0
// TDX quotes as they lie in memory: versions 4 and 5, signed by ECDSA P-256. Strict: every inner
// length fills what holds it. Nothing is verified here.
// Source: Intel TDX DCAP Quote Generation Library, appendix A.3 and A.4.
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/bytes.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kQuoteBytesMax = 64 * 1024;

// What the TDX module measured of a trust domain and of itself.
struct TdReport {
  bool is_td15 = false;  // has tee_tcb_svn2 and mr_service_td
  Field<16> tee_tcb_svn{};
  Field<48> mr_seam{};
  Field<48> mr_signer_seam{};
  Field<8> seam_attributes{};
  Field<8> td_attributes{};
  Field<8> xfam{};
  Field<48> mr_td{};
  Field<48> mr_config_id{};
  Field<48> mr_owner{};
  Field<48> mr_owner_config{};
  std::array<Field<48>, 4> rtmr{};
  Field<64> report_data{};
  Field<16> tee_tcb_svn2{};
  Field<48> mr_service_td{};
};

// The report of the quoting enclave, which vouches for the key that signed the quote.
struct QeReport {
  Field<4> misc_select{};
  Field<16> attributes{};
  Field<32> mr_enclave{};
  Field<32> mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
  Field<64> report_data{};
};

struct Quote {
  std::uint16_t version = 0;
  TdReport report;
  Bytes signed_part;  // what `signature` covers: the header and the body
  Field<64> signature{};
  Field<64> attestation_key{};  // X‖Y
  Field<384> qe_report_bytes{};
  QeReport qe_report;
  Field<64> qe_report_signature{};
  Bytes qe_authentication_data;
  std::string pck_chain;           // PEM, from the leaf to the root
  std::size_t trailing_bytes = 0;  // after the signature data; nobody vouches for them
};

// Errors: reason::kQuoteMalformed; reason::kTeeType for what is a quote of something else.
Result<Quote> parse_quote(BytesView bytes);

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// Makes quotes and their collateral under a root of its own, with real keys: what a platform and
// Intel's service would send, changed as a test wants it.
#pragma once

#include <boost/json/object.hpp>

#include "common/attestation/quote_verifier.hpp"

namespace backplane::attestation {

struct Recipe {
  std::int64_t now = 1'800'000'000;
  std::uint16_t version = 4;
  std::uint16_t qe_svn = 4;
  TdReport report;
  PckExtension platform;
  boost::json::object tcb_info;  // what is signed
  boost::json::object qe_identity;

  std::string pck_name = "Intel SGX PCK Certificate";
  std::string ca_name = "Intel SGX PCK Platform CA";
  std::string signing_name = "Intel SGX TCB Signing";
  std::int64_t certificates_begin = 0;  // 0: a year around `now`
  std::int64_t certificates_end = 0;
  std::int64_t lists_begin = 0;  // 0: a month around `now`
  std::int64_t lists_end = 0;
  bool is_ca = true;  // of the PCK CA
  bool revokes_pck = false;
  bool revokes_ca = false;
  bool revokes_signing = false;
  bool has_foreign_attestation_key = false;  // not the one that the quoting enclave vouches for
  bool has_nul = true;                       // after the PEM in the quote
  Bytes trailing;

  Recipe();
  // The only level of the platform, module and quoting enclave.
  void set_status(const char* platform, const char* module, const char* qe);
};

struct MadeEvidence {
  Bytes quote;
  Collateral collateral;
  QuoteOptions options;  // with the root and the time at which the quote is good

  QuoteVerdict verify() const { return verify_quote(quote, collateral, options); }
};

MadeEvidence make_evidence(const Recipe& recipe);

}  // namespace backplane::attestation

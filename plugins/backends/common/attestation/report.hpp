// SPDX-License-Identifier: Apache-2.0
// Reads what providers answer when asked for evidence, in all shapes known, as a list of quotes and
// of what each is said to vouch for. Nothing is verified here.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/value.hpp>

#include "common/attestation/bytes.hpp"
#include "common/attestation/event_log.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kReportBytesMax = 8 * 1024 * 1024;
inline constexpr std::size_t kEvidencesMax = 64;

// What the report data of a quote should be.
enum class Binding {
  kNone,        // nothing is known of it
  kSigningKey,  // the key or its address (32), the nonce (32)
  kWorkload,    // sha256 of a statement over a set of keys (32), zeros
  kChutes,      // sha256 of the nonce's and the key's text (32)
  kActions,     // the sha256 of what a compose manager did (32), the nonce (32)
};

// One quote, and what comes with it. Empty: not there.
struct Evidence {
  std::string role;  // "quote", "model", "replica", "gateway", "compose_manager", "workload", ...
  Bytes quote;
  Binding binding = Binding::kNone;
  std::string model;
  std::string nonce;  // the text that it says it was asked with
  std::string signing_algorithm;
  std::string signing_address;
  std::string signing_key;
  std::string tls_fingerprint;
  std::string e2e_key;       // Chutes
  std::string actions_hash;  // of a compose manager
  boost::json::value actions;
  boost::json::value keyset;  // ACI
  std::string workload_id;
  std::string report_data;   // what it says the quote has, in hex
  std::string app_compose;   // the text that was measured
  std::string compose_hash;  // what it says that its sha256 is
  std::optional<std::vector<Event>> events;
  boost::json::value nvidia_payload;  // parsed
  bool has_gpu_evidence = false;
};

struct Report {
  std::string shape;                // "quote", "dstack", "flat", "aci", "gateway", "chutes"
  std::vector<Evidence> evidences;  // not empty
};

// A quote (bytes, hex or base64) or a document. Errors: reason::kReportMalformed; kNotQuote for
// what is evidence of another kind.
Result<Report> read_report(std::string_view bytes);

// A quote in hex, with or without 0x, or base64.
std::optional<Bytes> quote_bytes(std::string_view text);

}  // namespace backplane::attestation

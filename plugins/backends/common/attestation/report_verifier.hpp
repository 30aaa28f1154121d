// SPDX-License-Identifier: Apache-2.0
// Verifies all quotes of a report and what they are to bind. A report is accepted when every quote
// in it is. What the verdict does not call passed has not been proven. [any-thread]
#pragma once

#include <functional>
#include <map>

#include "common/attestation/key_binding.hpp"
#include "common/attestation/quote_verifier.hpp"

namespace backplane::attestation {

enum class Outcome { kPassed, kFailed, kNotChecked };

// One thing that was looked at: "quote", "signing_key", "nonce", "freshness", "model", "event_log",
// "compose_hash", "gpu_nonce", "gpu_evidence", "actions_hash", "measurements".
struct Finding {
  std::string_view name;
  Outcome outcome = Outcome::kNotChecked;
  std::string note;
};

struct EvidenceVerdict {
  std::string role;
  bool is_accepted = false;
  std::optional<Error> rejection;
  QuoteVerdict quote;
  Bound bound;
  std::vector<Finding> findings;
  // By name: those of the quote, in hex, and of its event log where that was replayed.
  std::map<std::string, std::string> measurements;
};

struct ReportVerdict {
  bool is_accepted = false;
  std::optional<Error> rejection;  // of the first evidence that has one
  std::string shape;
  std::int64_t unix_time = 0;
  std::vector<EvidenceVerdict> evidences;
};

struct ReportOptions {
  QuoteOptions quote;
  std::optional<Field<32>> nonce;  // what the report was asked with; none: its age is not known
  std::string model;               // the one asked for; empty: any
  bool requires_key = false;  // rejected unless each quote binds a key, or what is done with it
  // By the name of a measurement, the hex values that are allowed; others are not looked at.
  std::map<std::string, std::vector<std::string>> allowed;
};

// The collateral of a platform, or null where there is none.
using CollateralSource = std::function<const Collateral*(const Platform&)>;

ReportVerdict verify_report(const Report& report, const CollateralSource& collateral,
                            const ReportOptions& options);

// The platforms that collateral is needed for, each once; what cannot be read is left out.
std::vector<Platform> platforms_of(const Report& report);

}  // namespace backplane::attestation

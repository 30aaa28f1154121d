// SPDX-License-Identifier: Apache-2.0
// The receipt of a call: what its model proved, what was sent and received, and who signed that.
// docs/privacy.md names the members of the document. Nothing is verified here. [any-thread]
#pragma once

#include <backplane/abi.h>

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::receipts {

inline constexpr std::size_t kReceiptBytesMax = BP_RECEIPT_BYTES_MAX;
inline constexpr std::size_t kMeasurementsMax = 64;
inline constexpr std::size_t kAdvisoriesMax = 256;
inline constexpr int kVersion = 1;

// Texts are empty where there is nothing to say.
struct AttestationFacts {
  std::string policy;          // "require", "warn"
  std::string verdict;         // "accepted", "rejected", "absent"
  std::string reason;          // of another verdict than accepted
  std::string message;         // likewise
  std::int64_t unix_time = 0;  // at which it was verified
  std::string nonce;           // that was asked with, 64 digits
  std::string quote_sha256;
  std::string tcb_status;
  std::vector<std::string> advisories;
  std::string signing_algorithm;
  std::string signing_address;
  std::string signing_key;
  std::map<std::string, std::string> measurements;
  // As attestation::read_report takes it: the quote, the key and the nonce. Empty: too large.
  boost::json::object evidence;
};

struct SignatureFacts {
  std::string policy;   // "require", "warn", "off"
  std::string verdict;  // "accepted", "rejected", "absent", "not_checked"
  std::string reason;
  std::string message;
  std::string text;       // that was signed
  std::string signature;  // hexadecimal
  std::string algorithm;
  std::string signed_by;  // the attested address or key that it holds for
};

// Exact bytes.
struct HashedBytes {
  std::string sha256;  // hexadecimal
  std::uint64_t size = 0;
};

struct Receipt {
  std::string request_id;
  std::string chat_id;  // the provider's
  std::string model;    // the provider's name for it
  std::int64_t unix_time = 0;
  AttestationFacts attestation;
  SignatureFacts signature;
  HashedBytes request;
  HashedBytes response;

  // Both verdicts are.
  bool is_accepted() const {
    return attestation.verdict == "accepted" && signature.verdict == "accepted";
  }
};

// At most kReceiptBytesMax: the evidence is left out where it would be more.
std::string to_json(const Receipt& receipt);
// INVALID_ARGUMENT, naming the member that is missing or no such value.
Result<Receipt> read_receipt(std::string_view text);

}  // namespace backplane::receipts

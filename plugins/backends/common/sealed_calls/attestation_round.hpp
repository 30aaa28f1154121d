// SPDX-License-Identifier: Apache-2.0
// One question to a provider for the key of a model: its attestation for a fresh nonce, the
// collateral that is missing, the verdict. [loop] all of it.
#pragma once

#include "common/attestation/collateral_requests.hpp"
#include "common/http_get.hpp"
#include "common/sealed_calls/attested_keys.hpp"

#include <backplane/plugin.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace backplane::sealed_calls {

inline constexpr std::size_t kPlatformsOfReportMax = 8;  // collateral is fetched for

struct AttestationOptions {
  std::string report_url;                   // to which ?model=...&nonce=... is added
  std::string report_query;                 // and this: "&name=value" or nothing
  std::string signing_algorithm = "ecdsa";  // of the key that is wanted
  std::string collateral_url{attestation::kIntelPcs};
  std::int64_t interval_s = 600;      // for which a key that was verified is used
  std::int64_t retry_s = 0;           // for which a model that failed is not asked again
  bool needs_seal_key = true;         // the point of a key, not its address alone
  std::uint32_t timeout_ms = 30'000;  // of each request
  attestation::QuotePolicy policy;
  attestation::TrustAnchor anchor = attestation::intel_sgx_root();
  std::map<std::string, std::vector<std::string>> allowed;  // as in attestation::ReportOptions
};

class AttestationRound {
 public:
  // Called once, never from inside start, and not after the destructor; it may destroy the round.
  // The proof has been kept in `keys`. Its rejection: PERMISSION_DENIED with the reason, where the
  // evidence was rejected; UNAVAILABLE where there is none.
  using Done = std::function<void(std::shared_ptr<const ModelProof>)>;

  // All is borrowed for its life.
  AttestationRound(const dialect::Services& services, const AttestationOptions& options,
                   AttestedKeys& keys, bp_loop* loop);

  // `headers`: of the question to the provider, not of those for collateral.
  Status start(std::string model, const std::vector<dialect::Header>& headers, Done done);

 private:
  void take_report(const Result<dialect::HttpReply>& reply);
  void fetch_collateral();
  Status ask(const attestation::CollateralRequest& request);
  void take_collateral(const Result<dialect::HttpReply>& reply);
  void verify();
  void fail(const Error& error);
  bool is_outweighed(const ModelProof& proof) const;
  void finish(ModelProof proof);
  std::int64_t unix_time_s() const;

  const dialect::Services& services_;
  const AttestationOptions& options_;
  AttestedKeys& keys_;
  bp_loop* const loop_;
  std::string model_;
  attestation::Field<32> nonce_{};
  Done done_;
  std::unique_ptr<dialect::HttpGet> get_;
  std::optional<attestation::Report> report_;
  std::vector<attestation::Platform> missing_;          // the last is being fetched
  attestation::CollateralRequests requests_;            // for it
  std::vector<attestation::CollateralAnswer> answers_;  // in the order of the requests
};

}  // namespace backplane::sealed_calls

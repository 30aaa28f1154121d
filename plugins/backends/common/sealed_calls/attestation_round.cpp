// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/attestation_round.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/call_error.hpp"
#include "common/sealed_calls/url_text.hpp"
#include "common/sealing/keys.hpp"

namespace backplane::sealed_calls {
namespace {

using attestation::CollateralRequest;
using attestation::Platform;
using dialect::HttpReply;

Error no_evidence(const std::string& why) {
  return {Code::kUnavailable, "the model's attestation could not be had: " + why,
          "ATTESTATION_UNAVAILABLE", 502, 0};
}

// The reply's body, or why there is none.
Status check_reply(const Result<HttpReply>& reply) {
  if (!reply) return no_evidence(reply.error().message);
  if (reply->status != 200) return no_evidence("status " + std::to_string(reply->status));
  return ok();
}

std::array<const CollateralRequest*, 4> in_order(const attestation::CollateralRequests& requests) {
  return {&requests.tcb_info, &requests.qe_identity, &requests.pck_crl, &requests.root_crl};
}

}  // namespace

AttestationRound::AttestationRound(const dialect::Services& services,
                                   const AttestationOptions& options, AttestedKeys& keys,
                                   bp_loop* loop)
    : services_(services), options_(options), keys_(keys), loop_(loop) {}

std::int64_t AttestationRound::unix_time_s() const {
  return services_.clock->unix_ns(services_.clock->context) / 1'000'000'000;
}

Status AttestationRound::start(std::string model, const std::vector<dialect::Header>& headers,
                               Done done) {
  if (const Status filled = sealing::fill_random(nonce_); !filled) return filled;
  model_ = std::move(model);
  done_ = std::move(done);
  const std::string url = options_.report_url + "?model=" + percent_encoded(model_) +
                          "&nonce=" + attestation::to_hex(nonce_) + options_.report_query;
  get_ = std::make_unique<dialect::HttpGet>(services_);
  return get_->send(loop_, url, headers, {attestation::kReportBytesMax, options_.timeout_ms},
                    [this](const Result<HttpReply>& reply) { take_report(reply); });
}

void AttestationRound::take_report(const Result<HttpReply>& reply) {
  if (const Status checked = check_reply(reply); !checked) return fail(checked.error());
  Result<attestation::Report> report = attestation::read_report(reply->body);
  if (!report) return fail(attestation_rejected(report.error()));
  report_ = std::move(*report);
  for (const Platform& platform : attestation::platforms_of(*report_)) {
    if (keys_.collateral_of(platform, unix_time_s()) == nullptr) missing_.push_back(platform);
  }
  if (missing_.size() > kPlatformsOfReportMax) {
    return fail(attestation_rejected(invalid_argument("its quotes are of too many platforms")));
  }
  fetch_collateral();
}

void AttestationRound::fetch_collateral() {
  if (missing_.empty()) return verify();
  answers_.clear();
  requests_ = attestation::collateral_requests(missing_.back(), options_.collateral_url);
  if (const Status asked = ask(requests_.tcb_info); !asked) fail(asked.error());
}

Status AttestationRound::ask(const CollateralRequest& request) {
  get_ = std::make_unique<dialect::HttpGet>(services_);
  return get_->send(loop_, request.url, {{"accept-encoding", "identity"}},
                    {attestation::kCollateralAnswerBytesMax, options_.timeout_ms},
                    [this](const Result<HttpReply>& reply) { take_collateral(reply); });
}

void AttestationRound::take_collateral(const Result<HttpReply>& reply) {
  if (const Status checked = check_reply(reply); !checked) return fail(checked.error());
  const auto order = in_order(requests_);
  const CollateralRequest& request = *order[answers_.size()];
  std::string_view chain = reply->header(request.issuer_chain_header);
  if (chain.empty()) chain = reply->header(request.other_issuer_header);
  answers_.push_back({reply->body, std::string(chain)});
  if (answers_.size() < order.size()) {
    if (const Status asked = ask(*order[answers_.size()]); !asked) fail(asked.error());
    return;
  }
  Result<attestation::Collateral> collateral =
      attestation::collateral_from({std::move(answers_[0]), std::move(answers_[1]),
                                    std::move(answers_[2]), std::move(answers_[3])});
  if (!collateral) return fail(no_evidence(collateral.error().message));
  keys_.keep_collateral(missing_.back(), std::move(*collateral), unix_time_s());
  missing_.pop_back();
  fetch_collateral();
}

void AttestationRound::verify() {
  const std::int64_t now_s = unix_time_s();
  std::vector<std::shared_ptr<const attestation::Collateral>> used;
  attestation::ReportOptions options;
  options.quote = {now_s, options_.anchor, options_.policy};
  options.nonce = nonce_;
  options.model = model_;
  options.allowed = options_.allowed;
  const attestation::ReportVerdict verdict = attestation::verify_report(
      *report_,
      [&](const Platform& platform) {
        used.push_back(keys_.collateral_of(platform, now_s));
        return used.back().get();
      },
      options);
  ModelProof proof =
      proof_of(*report_, verdict,
               {attestation::to_hex(nonce_), options_.signing_algorithm, options_.needs_seal_key});
  if (proof.rejection) {
    for (const Platform& platform : attestation::platforms_of(*report_)) {
      keys_.drop_collateral(platform);
    }
  }
  finish(std::move(proof));
}

void AttestationRound::fail(const Error& error) {
  const bool is_absent = error.code == Code::kUnavailable;
  finish(no_proof(error, is_absent ? "absent" : "rejected", attestation::to_hex(nonce_),
                  unix_time_s()));
}

// What could not be had says nothing against a proof that still holds.
bool AttestationRound::is_outweighed(const ModelProof& proof) const {
  if (proof.facts.verdict != "absent") return false;
  const auto known = keys_.proof_of(model_, unix_time_s());
  return known != nullptr && !known->rejection;
}

// Last of all, as it may destroy this.
void AttestationRound::finish(ModelProof proof) {
  const std::int64_t kept_s = proof.rejection ? options_.retry_s : options_.interval_s;
  proof.until_unix_time_s = unix_time_s() + kept_s;
  const auto shared = std::make_shared<const ModelProof>(std::move(proof));
  if (kept_s > 0 && !is_outweighed(*shared)) keys_.keep_proof(model_, shared);
  const Done done = std::move(done_);
  done(shared);
}

}  // namespace backplane::sealed_calls

// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/report_verifier.hpp"

#include <algorithm>

#include "common/attestation/reason.hpp"
#include "common/attestation/report_checks.hpp"

namespace backplane::attestation {
namespace {

QuoteVerdict verify_quote_of(const Evidence& evidence, const CollateralSource& source,
                             const QuoteOptions& options) {
  const Result<Quote> quote = parse_quote(evidence.quote);
  QuoteVerdict verdict;
  verdict.quote_sha256 = sha256(evidence.quote);
  if (!quote) {
    verdict.rejection = quote.error();
    return verdict;
  }
  const Result<Platform> platform = platform_of(*quote);
  if (!platform) {
    verdict.rejection = platform.error();
    return verdict;
  }
  const Collateral* collateral = source(*platform);
  if (collateral != nullptr) return verify_quote(evidence.quote, *collateral, options);
  verdict.quote = *quote;
  verdict.rejection =
      rejected(reason::kCollateralMissing,
               "there is no collateral for platforms with fmspc " + to_hex(platform->fmspc));
  return verdict;
}

void note_measurements(const TdReport& report, std::map<std::string, std::string>& out) {
  out = {{"mr_td", to_hex(report.mr_td)},
         {"mr_seam", to_hex(report.mr_seam)},
         {"mr_signer_seam", to_hex(report.mr_signer_seam)},
         {"mr_config_id", to_hex(report.mr_config_id)},
         {"mr_owner", to_hex(report.mr_owner)},
         {"mr_owner_config", to_hex(report.mr_owner_config)},
         {"rtmr0", to_hex(report.rtmr[0])},
         {"rtmr1", to_hex(report.rtmr[1])},
         {"rtmr2", to_hex(report.rtmr[2])},
         {"rtmr3", to_hex(report.rtmr[3])},
         {"report_data", to_hex(report.report_data)},
         {"xfam", to_hex(report.xfam)},
         {"td_attributes", to_hex(report.td_attributes)},
         {"tee_tcb_svn", to_hex(report.tee_tcb_svn)}};
  if (!report.is_td15) return;
  out["tee_tcb_svn2"] = to_hex(report.tee_tcb_svn2);
  out["mr_service_td"] = to_hex(report.mr_service_td);
}

Status check_key_and_nonce(const Evidence& evidence, const ReportOptions& options,
                           EvidenceVerdict& out) {
  const Field<64>& report_data = out.quote.quote->report.report_data;
  Result<Bound> bound = check_binding(evidence, report_data, options.nonce);
  if (!bound) {
    const bool is_nonce = bound.error().type == reason::kNonce;
    const char* name = is_nonce ? "nonce" : "signing_key";
    out.findings.push_back({name, Outcome::kFailed, bound.error().message});
    return bound.error();
  }
  out.bound = std::move(*bound);
  const bool has_key = !out.bound.method.empty();
  const bool has_nonce = !out.bound.nonce_method.empty();
  const bool is_fresh = has_nonce && options.nonce.has_value();
  out.findings.push_back({"signing_key", has_key ? Outcome::kPassed : Outcome::kNotChecked,
                          has_key ? out.bound.method : "the report names no key"});
  out.findings.push_back({"nonce", has_nonce ? Outcome::kPassed : Outcome::kNotChecked,
                          has_nonce ? out.bound.nonce_method : "the report names no nonce"});
  out.findings.push_back({"freshness", is_fresh ? Outcome::kPassed : Outcome::kNotChecked,
                          is_fresh ? "it answers the nonce that was asked with"
                                   : "no nonce was given to compare with"});
  if (options.requires_key && !has_key) {
    return rejected(reason::kSigningKey, "the quote is not said to bind any key");
  }
  return ok();
}

Status check_all(const Evidence& evidence, const CollateralSource& source,
                 const ReportOptions& options, EvidenceVerdict& out) {
  out.quote = verify_quote_of(evidence, source, options.quote);
  if (out.quote.quote) note_measurements(out.quote.quote->report, out.measurements);
  if (!out.quote.is_accepted) {
    out.findings.push_back({"quote", Outcome::kFailed, out.quote.rejection->message});
    return *out.quote.rejection;
  }
  out.findings.push_back({"quote", Outcome::kPassed, "genuine, of an accepted platform"});
  if (Status status = check_key_and_nonce(evidence, options, out); !status) return status;
  if (Status status = check_model(evidence, options, out); !status) return status;
  if (Status status = check_software(evidence, out); !status) return status;
  if (Status status = check_gpu(evidence, out); !status) return status;
  if (Status status = check_actions(evidence, out); !status) return status;
  const bool runs_models = evidence.role != "compose_manager" && evidence.role != "gateway";
  return runs_models ? check_allowed(options, out) : ok();
}

}  // namespace

ReportVerdict verify_report(const Report& report, const CollateralSource& collateral,
                            const ReportOptions& options) {
  ReportVerdict verdict;
  verdict.shape = report.shape;
  verdict.unix_time = options.quote.unix_time;
  for (const Evidence& evidence : report.evidences) {
    EvidenceVerdict& out = verdict.evidences.emplace_back();
    out.role = evidence.role;
    const Status status = check_all(evidence, collateral, options, out);
    out.is_accepted = static_cast<bool>(status);
    if (status) continue;
    out.rejection = status.error();
    if (!verdict.rejection) verdict.rejection = status.error();
  }
  verdict.is_accepted = !verdict.evidences.empty() && !verdict.rejection;
  return verdict;
}

std::vector<Platform> platforms_of(const Report& report) {
  std::vector<Platform> platforms;
  for (const Evidence& evidence : report.evidences) {
    const Result<Quote> quote = parse_quote(evidence.quote);
    if (!quote) continue;
    const Result<Platform> platform = platform_of(*quote);
    if (!platform) continue;
    const bool is_known =
        std::any_of(platforms.begin(), platforms.end(), [&](const Platform& known) {
          return known.fmspc == platform->fmspc && known.ca == platform->ca;
        });
    if (!is_known) platforms.push_back(*platform);
  }
  return platforms;
}

}  // namespace backplane::attestation

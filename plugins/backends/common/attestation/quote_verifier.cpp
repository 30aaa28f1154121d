// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/quote_verifier.hpp"

#include <algorithm>

#include "common/attestation/certificate.hpp"
#include "common/attestation/json_fields.hpp"
#include "common/attestation/reason.hpp"
#include "common/attestation/signature.hpp"

namespace backplane::attestation {
namespace {

constexpr std::string_view kPckName = "Intel SGX PCK Certificate";
constexpr std::string_view kPlatformCa = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCa = "Intel SGX PCK Processor CA";
constexpr std::string_view kRootName = "Intel SGX Root CA";
constexpr std::string_view kSigningName = "Intel SGX TCB Signing";

Status check_names(const std::vector<Certificate>& chain,
                   const std::vector<std::string_view>& names) {
  if (chain.size() != names.size()) {
    return rejected(reason::kCertificateChain, "the chain of the " + std::string(names.front()) +
                                                   " has " + std::to_string(chain.size()) +
                                                   " certificates, not " +
                                                   std::to_string(names.size()));
  }
  for (std::size_t at = 0; at < names.size(); ++at) {
    const std::string name = common_name(*chain[at]);
    if (name != names[at]) {
      return rejected(reason::kCertificateChain, "the chain has \"" + name + "\" where \"" +
                                                     std::string(names[at]) + "\" is expected");
    }
  }
  return ok();
}

Status check_time(std::string_view type, const char* what, std::int64_t begin, std::int64_t end,
                  std::int64_t now) {
  if (begin <= now && now < end) return ok();
  return rejected(type, std::string("the ") + what + " holds from " + date_text(begin) + " to " +
                            date_text(end) + ", not at time " + std::to_string(now));
}

std::int64_t next_update(const X509_CRL& list) {
  std::tm time{};
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(&list);
  if (next == nullptr || ASN1_TIME_to_tm(next, &time) != 1) return 0;
  return timegm(&time);
}

class Verification {
 public:
  Verification(const Collateral& collateral, const QuoteOptions& options, QuoteVerdict& verdict)
      : collateral_(collateral), options_(options), verdict_(verdict), quote_(*verdict.quote) {}

  Status run() {
    for (const auto step :
         {&Verification::read_lists, &Verification::check_pck_chain, &Verification::check_qe_report,
          &Verification::check_identity, &Verification::check_quote_signature,
          &Verification::check_tcb_info, &Verification::evaluate}) {
      if (Status status = (this->*step)(); !status) return status;
    }
    return ok();
  }

 private:
  Status read_lists() {
    root_list_ = revocation_list(collateral_.root_crl);
    pck_list_ = revocation_list(collateral_.pck_crl);
    if (!root_list_ || !pck_list_) {
      return rejected(reason::kCrl,
                      root_list_ ? "the PCK CRL cannot be read" : "the root CRL cannot be read");
    }
    verdict_.expires = std::min(next_update(*root_list_), next_update(*pck_list_));
    return ok();
  }

  Status check_pck_chain() {
    Result<std::vector<Certificate>> chain = certificates_from_pem(quote_.pck_chain);
    if (!chain) return chain.error();
    pck_chain_ = std::move(*chain);
    const std::string issuer = pck_chain_.empty() ? "" : issuer_common_name(*pck_chain_.front());
    const std::string_view ca = issuer == kProcessorCa ? kProcessorCa : kPlatformCa;
    if (Status status = check_names(pck_chain_, {kPckName, ca, kRootName}); !status) return status;
    Status status =
        check_chain(pck_chain_, {&root_list_, &pck_list_}, options_.anchor, options_.unix_time);
    if (!status) return status;
    Result<PckExtension> platform = read_pck_extension(*pck_chain_.front());
    if (!platform) return platform.error();
    verdict_.platform = *platform;
    return ok();
  }

  Status check_qe_report() {
    EVP_PKEY* key = X509_get0_pubkey(pck_chain_.front().get());
    if (!is_signed_by(key, quote_.qe_report_bytes, quote_.qe_report_signature)) {
      return rejected(reason::kQeReportSignature,
                      "the quoting enclave's report is not signed by the PCK certificate");
    }
    Bytes bound(quote_.attestation_key.begin(), quote_.attestation_key.end());
    bound.insert(bound.end(), quote_.qe_authentication_data.begin(),
                 quote_.qe_authentication_data.end());
    const Field<32> digest = sha256(bound);
    const Field<64>& said = quote_.qe_report.report_data;
    if (!std::equal(digest.begin(), digest.end(), said.begin()) ||
        !is_zero(BytesView(said).subspan(digest.size()))) {
      return rejected(reason::kQeReportData,
                      "the quoting enclave's report vouches for another attestation key");
    }
    return ok();
  }

  // Both documents usually come with the same chain, which is verified once.
  Status check_signed(const std::string& pem, const std::string& text, const Field<64>& signature,
                      std::string_view type, const char* what) {
    if (pem != signing_pem_ || signing_chain_.empty()) {
      Result<std::vector<Certificate>> chain = certificates_from_pem(pem);
      if (!chain) return chain.error();
      Status status = check_names(*chain, {kSigningName, kRootName});
      if (!status) return status;
      status = check_chain(*chain, {&root_list_}, options_.anchor, options_.unix_time);
      if (!status) return status;
      signing_chain_ = std::move(*chain);
      signing_pem_ = pem;
    }
    EVP_PKEY* key = X509_get0_pubkey(signing_chain_.front().get());
    if (is_signed_by(key, bytes_of(text), signature)) return ok();
    return rejected(type, std::string("the ") + what + " is not signed by Intel");
  }

  Status check_identity() {
    Status status = check_signed(collateral_.qe_identity_chain, collateral_.qe_identity,
                                 collateral_.qe_identity_signature, reason::kQeIdentitySignature,
                                 "QE identity");
    if (!status) return status;
    Result<QeIdentity> identity = parse_qe_identity(collateral_.qe_identity);
    if (!identity) return identity.error();
    identity_ = std::move(*identity);
    verdict_.expires = std::min(verdict_.expires, identity_.next_update);
    status = check_time(reason::kQeIdentityTime, "QE identity", identity_.issue_date,
                        identity_.next_update, options_.unix_time);
    return status ? check_qe_identity(quote_.qe_report, identity_) : status;
  }

  Status check_quote_signature() {
    const PublicKey key = p256_key(quote_.attestation_key);
    if (key && is_signed_by(key.get(), quote_.signed_part, quote_.signature)) return ok();
    return rejected(reason::kQuoteSignature, "the quote is not signed by its attestation key");
  }

  Status check_tcb_info() {
    Status status =
        check_signed(collateral_.tcb_info_chain, collateral_.tcb_info,
                     collateral_.tcb_info_signature, reason::kTcbInfoSignature, "TCB info");
    if (!status) return status;
    Result<TcbInfo> info = parse_tcb_info(collateral_.tcb_info);
    if (!info) return info.error();
    info_ = std::move(*info);
    verdict_.expires = std::min(verdict_.expires, info_.next_update);
    verdict_.evaluation_number = info_.evaluation_number;
    return check_time(reason::kTcbInfoTime, "TCB info", info_.issue_date, info_.next_update,
                      options_.unix_time);
  }

  Status evaluate() {
    Result<TcbEvaluation> found = evaluate_tcb(quote_, *verdict_.platform, info_, identity_);
    if (!found) return found.error();
    verdict_.tcb = std::move(*found);
    return ok();
  }

  const Collateral& collateral_;
  const QuoteOptions& options_;
  QuoteVerdict& verdict_;
  const Quote& quote_;
  RevocationList root_list_;
  RevocationList pck_list_;
  std::vector<Certificate> pck_chain_;
  std::string signing_pem_;
  std::vector<Certificate> signing_chain_;
  QeIdentity identity_;
  TcbInfo info_;
};

}  // namespace

QuoteVerdict verify_quote(BytesView bytes, const Collateral& collateral,
                          const QuoteOptions& options) {
  const ErrorScope errors;
  QuoteVerdict verdict;
  verdict.quote_sha256 = sha256(bytes);
  Result<Quote> quote = parse_quote(bytes);
  if (!quote) {
    verdict.rejection = quote.error();
    return verdict;
  }
  verdict.quote = std::move(*quote);
  Status status = Verification(collateral, options, verdict).run();
  verdict.is_genuine = static_cast<bool>(status);
  if (status) status = check_policy(verdict.quote->report, verdict.tcb->status, options.policy);
  verdict.is_accepted = static_cast<bool>(status);
  if (!status) verdict.rejection = status.error();
  return verdict;
}

Result<Platform> platform_of(const Quote& quote) {
  const ErrorScope errors;
  const Result<std::vector<Certificate>> chain = certificates_from_pem(quote.pck_chain);
  if (!chain) return chain.error();
  if (chain->empty()) return rejected(reason::kCertificateChain, "the quote has no certificate");
  const Result<PckExtension> extension = read_pck_extension(*chain->front());
  if (!extension) return extension.error();
  const bool is_processor = issuer_common_name(*chain->front()) == kProcessorCa;
  return Platform{extension->fmspc, is_processor ? "processor" : "platform"};
}

}  // namespace backplane::attestation

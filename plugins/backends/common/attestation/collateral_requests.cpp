// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/collateral_requests.hpp"

#include "common/attestation/json_fields.hpp"
#include "common/attestation/pem.hpp"
#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

constexpr std::string_view kIntelRootList =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

struct SignedDocument {
  std::string text;
  Field<64> signature{};
};

// {"tcbInfo": {…}, "signature": "…"}: what is signed are the bytes of the member.
Result<SignedDocument> read_signed(const std::string& body, std::string_view name) {
  const auto malformed = [&](const std::string& fault) {
    return rejected(reason::kCollateralMalformed, std::string(name) + ": " + fault);
  };
  const Result<boost::json::value> value = parse_json(body);
  if (!value) return malformed(value.error().message);
  std::string fault;
  JsonFields fields(*value, fault);
  fields.object(name);
  SignedDocument document;
  document.signature = fields.hex<64>("signature");
  if (!fault.empty()) return malformed(fault);
  document.text = raw_member(body, name);
  return document;
}

}  // namespace

CollateralRequests collateral_requests(const Platform& platform, std::string_view base_url) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  const std::string base(base_url);
  const std::string tdx = base + "/tdx/certification/v4/";
  const std::string sgx = base + "/sgx/certification/v4/";
  const bool is_intel = base_url == kIntelPcs;
  CollateralRequests requests;
  requests.tcb_info = {tdx + "tcb?fmspc=" + to_hex(platform.fmspc), "tcb-info-issuer-chain",
                       "sgx-tcb-info-issuer-chain"};
  requests.qe_identity = {tdx + "qe/identity", "sgx-enclave-identity-issuer-chain", ""};
  requests.pck_crl = {sgx + "pckcrl?ca=" + std::string(platform.ca) + "&encoding=der", "", ""};
  requests.root_crl = {is_intel ? std::string(kIntelRootList) : sgx + "rootcacrl", "", ""};
  return requests;
}

Result<Collateral> collateral_from(const CollateralAnswers& answers) {
  Result<SignedDocument> info = read_signed(answers.tcb_info.body, "tcbInfo");
  if (!info) return info.error();
  Result<SignedDocument> identity = read_signed(answers.qe_identity.body, "enclaveIdentity");
  if (!identity) return identity.error();
  std::optional<Bytes> pck_crl = crl_der(answers.pck_crl.body);
  std::optional<Bytes> root_crl = crl_der(answers.root_crl.body);
  if (!pck_crl || !root_crl) {
    return rejected(reason::kCollateralMalformed, "a revocation list cannot be read");
  }
  Collateral collateral;
  collateral.tcb_info = std::move(info->text);
  collateral.tcb_info_signature = info->signature;
  collateral.tcb_info_chain = percent_decoded(answers.tcb_info.issuer_chain);
  collateral.qe_identity = std::move(identity->text);
  collateral.qe_identity_signature = identity->signature;
  collateral.qe_identity_chain = percent_decoded(answers.qe_identity.issuer_chain);
  collateral.pck_crl = std::move(*pck_crl);
  collateral.root_crl = std::move(*root_crl);
  return collateral;
}

}  // namespace backplane::attestation

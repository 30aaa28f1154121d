// SPDX-License-Identifier: Apache-2.0
// Why evidence is rejected. Errors of this folder carry one of these as their type, so that a
// program can tell them apart; the message says the same to people.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::attestation::reason {

inline constexpr std::string_view kQuoteMalformed = "QUOTE_MALFORMED";
inline constexpr std::string_view kTeeType = "TEE_TYPE";  // not a TDX quote
inline constexpr std::string_view kCollateralMalformed = "COLLATERAL_MALFORMED";
inline constexpr std::string_view kCollateralMissing = "COLLATERAL_MISSING";
inline constexpr std::string_view kCertificateChain = "CERTIFICATE_CHAIN";
inline constexpr std::string_view kRootUntrusted = "ROOT_UNTRUSTED";
inline constexpr std::string_view kCertificateTime = "CERTIFICATE_TIME";
inline constexpr std::string_view kCertificateRevoked = "CERTIFICATE_REVOKED";
inline constexpr std::string_view kCrl = "CRL";  // missing, of another issuer, ill signed
inline constexpr std::string_view kCrlTime = "CRL_TIME";
inline constexpr std::string_view kPckCertificate = "PCK_CERTIFICATE";
inline constexpr std::string_view kQeReportSignature = "QE_REPORT_SIGNATURE";
inline constexpr std::string_view kQeReportData = "QE_REPORT_DATA";
inline constexpr std::string_view kQeIdentitySignature = "QE_IDENTITY_SIGNATURE";
inline constexpr std::string_view kQeIdentityTime = "QE_IDENTITY_TIME";
inline constexpr std::string_view kQeIdentity = "QE_IDENTITY";  // the report is of another enclave
inline constexpr std::string_view kQuoteSignature = "QUOTE_SIGNATURE";
inline constexpr std::string_view kTcbInfoSignature = "TCB_INFO_SIGNATURE";
inline constexpr std::string_view kTcbInfoTime = "TCB_INFO_TIME";
inline constexpr std::string_view kFmspc = "FMSPC";  // collateral of another platform
inline constexpr std::string_view kTdxModule = "TDX_MODULE";
inline constexpr std::string_view kNoTcbLevel = "NO_TCB_LEVEL";
inline constexpr std::string_view kTcbStatus = "TCB_STATUS";
inline constexpr std::string_view kDebug = "DEBUG";
inline constexpr std::string_view kTdPolicy = "TD_POLICY";
inline constexpr std::string_view kReportMalformed = "REPORT_MALFORMED";
inline constexpr std::string_view kNonce = "NONCE";
inline constexpr std::string_view kModel = "MODEL";
inline constexpr std::string_view kSigningKey = "SIGNING_KEY";
inline constexpr std::string_view kReportData = "REPORT_DATA";
inline constexpr std::string_view kEventLog = "EVENT_LOG";
inline constexpr std::string_view kComposeHash = "COMPOSE_HASH";
inline constexpr std::string_view kGpuNonce = "GPU_NONCE";
inline constexpr std::string_view kMeasurement = "MEASUREMENT";
inline constexpr std::string_view kNotQuote = "NOT_A_QUOTE";

}  // namespace backplane::attestation::reason

namespace backplane::attestation {

inline Error rejected(std::string_view type, std::string message) {
  return {Code::kPermissionDenied, std::move(message), std::string(type), 0, 0};
}

}  // namespace backplane::attestation

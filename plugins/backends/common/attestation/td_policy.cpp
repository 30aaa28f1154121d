// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/td_policy.hpp"

#include <algorithm>

#include "common/attestation/reason.hpp"

namespace backplane::attestation {
namespace {

constexpr unsigned kDebug = 0, kSeptVeDisable = 28, kMigratable = 29, kProtectionKeys = 30,
                   kKeyLocker = 31, kPerfmon = 63;

std::uint64_t bit(unsigned at) {
  return 1ULL << at;
}

}  // namespace

TdAttributes attributes_of(const Field<8>& td_attributes) {
  std::uint64_t bits = 0;
  for (std::size_t at = 0; at < td_attributes.size(); ++at) {
    bits |= static_cast<std::uint64_t>(td_attributes[at]) << (8 * at);
  }
  const std::uint64_t known = bit(kDebug) | bit(kSeptVeDisable) | bit(kMigratable) |
                              bit(kProtectionKeys) | bit(kKeyLocker) | bit(kPerfmon);
  TdAttributes attributes;
  attributes.debug = (bits & bit(kDebug)) != 0;
  attributes.sept_ve_disable = (bits & bit(kSeptVeDisable)) != 0;
  attributes.migratable = (bits & bit(kMigratable)) != 0;
  attributes.protection_keys = (bits & bit(kProtectionKeys)) != 0;
  attributes.key_locker = (bits & bit(kKeyLocker)) != 0;
  attributes.perfmon = (bits & bit(kPerfmon)) != 0;
  attributes.reserved = (bits & ~known) != 0;
  return attributes;
}

std::vector<std::string> policy_flags(const TdReport& report) {
  const TdAttributes attributes = attributes_of(report.td_attributes);
  std::vector<std::string> flags;
  if (attributes.debug) flags.emplace_back("debug");
  if (!attributes.sept_ve_disable) flags.emplace_back("sept_ve_disable_clear");
  if (attributes.migratable) flags.emplace_back("migratable");
  if (attributes.reserved) flags.emplace_back("reserved_attributes");
  if (!is_zero(report.mr_service_td)) flags.emplace_back("mr_service_td");
  if (!is_zero(report.mr_signer_seam)) flags.emplace_back("mr_signer_seam");
  return flags;
}

Status check_policy(const TdReport& report, TcbStatus status, const QuotePolicy& policy) {
  std::string flags;
  for (const std::string& flag : policy_flags(report)) {
    if (flag == "debug") {
      return rejected(reason::kDebug, "the trust domain can be debugged: its host reads all of it");
    }
    flags += (flags.empty() ? "" : ", ") + flag;
  }
  if (!flags.empty()) {
    return rejected(reason::kTdPolicy, "the trust domain is not as it must be: " + flags);
  }
  const std::vector<TcbStatus>& accepted = policy.accepted_statuses;
  if (std::find(accepted.begin(), accepted.end(), status) == accepted.end()) {
    return rejected(reason::kTcbStatus,
                    "the TCB status " + std::string(name_of(status)) + " is not accepted");
  }
  return ok();
}

}  // namespace backplane::attestation

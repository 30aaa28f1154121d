// SPDX-License-Identifier: Apache-2.0
// What a trust domain must be like to be trusted with secrets, however genuine its quote is.
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/quote.hpp"
#include "common/attestation/tcb_status.hpp"

namespace backplane::attestation {

struct QuotePolicy {
  std::vector<TcbStatus> accepted_statuses = {TcbStatus::kUpToDate, TcbStatus::kSwHardeningNeeded};
};

struct TdAttributes {
  bool debug = false;
  bool sept_ve_disable = false;
  bool migratable = false;
  bool protection_keys = false;
  bool key_locker = false;
  bool perfmon = false;
  bool reserved = false;  // any bit without a meaning
};

TdAttributes attributes_of(const Field<8>& td_attributes);

// What is wrong with the domain: "debug", "sept_ve_disable_clear", "migratable",
// "reserved_attributes", "mr_service_td", "mr_signer_seam". No policy allows any of them.
std::vector<std::string> policy_flags(const TdReport& report);

// Errors: reason::kDebug, kTdPolicy, kTcbStatus.
Status check_policy(const TdReport& report, TcbStatus status, const QuotePolicy& policy);

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// How up to date what a quote vouches for is, in Intel's words.
#pragma once

#include <optional>
#include <string_view>

namespace backplane::attestation {

enum class TcbStatus {
  kUpToDate,
  kSwHardeningNeeded,
  kConfigurationNeeded,
  kConfigurationAndSwHardeningNeeded,
  kOutOfDate,
  kOutOfDateConfigurationNeeded,
  kTdRelaunchAdvised,
  kTdRelaunchAdvisedConfigurationNeeded,
  kRevoked,
};

// "UpToDate", as collateral writes it.
std::string_view name_of(TcbStatus status);
std::optional<TcbStatus> tcb_status_of(std::string_view name);

// The status of a platform one of whose parts (TDX module, quoting enclave) has the other one: a
// part that is out of date makes the whole so, one that is revoked revokes it.
TcbStatus converged(TcbStatus platform, TcbStatus part);

bool needs_configuration(TcbStatus status);

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/tcb_status.hpp"

#include <algorithm>
#include <array>

namespace backplane::attestation {
namespace {

constexpr std::array<std::string_view, 9> kNames = {"UpToDate",
                                                    "SWHardeningNeeded",
                                                    "ConfigurationNeeded",
                                                    "ConfigurationAndSWHardeningNeeded",
                                                    "OutOfDate",
                                                    "OutOfDateConfigurationNeeded",
                                                    "TDRelaunchAdvised",
                                                    "TDRelaunchAdvisedConfigurationNeeded",
                                                    "Revoked"};

}  // namespace

std::string_view name_of(TcbStatus status) {
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<TcbStatus> tcb_status_of(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<TcbStatus>(found - kNames.begin());
}

TcbStatus converged(TcbStatus platform, TcbStatus part) {
  if (part == TcbStatus::kRevoked) return part;
  if (part != TcbStatus::kOutOfDate) return platform;
  switch (platform) {
    case TcbStatus::kUpToDate:
    case TcbStatus::kSwHardeningNeeded:
      return TcbStatus::kOutOfDate;
    case TcbStatus::kConfigurationNeeded:
    case TcbStatus::kConfigurationAndSwHardeningNeeded:
      return TcbStatus::kOutOfDateConfigurationNeeded;
    default:
      return platform;
  }
}

bool needs_configuration(TcbStatus status) {
  return status == TcbStatus::kConfigurationNeeded ||
         status == TcbStatus::kConfigurationAndSwHardeningNeeded ||
         status == TcbStatus::kOutOfDateConfigurationNeeded ||
         status == TcbStatus::kTdRelaunchAdvisedConfigurationNeeded;
}

}  // namespace backplane::attestation

// SPDX-License-Identifier: Apache-2.0
// What is counted of one backend, whatever generation its calls belong to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane {

// How one try on a backend ended.
enum class AttemptOutcome : std::uint32_t {
  kOk,
  kBusy,  // not begun: the backend has as many calls as it may
  kCancelled,
  kTimeout,
  kRateLimited,
  kRefused,  // the request's own fault
  kUnavailable,
  kCut,
  kProtocol,  // the plugin broke a rule
  kFailed,
};
inline constexpr std::size_t kAttemptOutcomes = 10;
const char* name_of(AttemptOutcome outcome);

// Handles of the metrics; defined before the backend has its first call.
struct BackendSeries {
  bool is_defined = false;
  std::uint64_t in_flight = 0;
  std::array<std::uint64_t, kAttemptOutcomes> outcomes{};
};

}  // namespace backplane

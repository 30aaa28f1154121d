// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/try_end.hpp"

namespace backplane {

void end_try(CallMetrics& metrics, const Route& route, const RouteTry& given,
             AttemptOutcome outcome, const Error* error, std::int64_t now_ns) {
  BackendInstance& backend = *route.backend;
  metrics.attempt_ended(backend, outcome);
  route.state->end(given, outcome, error != nullptr ? error->retry_after_ms : 0, backend.ejection(),
                   now_ns);
  if (outcome == AttemptOutcome::kOk) {
    backend.limit.went_well(backend.in_flight.load(std::memory_order_relaxed) + 1);
  } else if (outcome == AttemptOutcome::kRateLimited || outcome == AttemptOutcome::kTimeout ||
             (error != nullptr && error->http_status == 503)) {
    backend.limit.was_too_much(now_ns);
  }
}

}  // namespace backplane

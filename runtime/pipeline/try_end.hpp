// SPDX-License-Identifier: Apache-2.0
// What the end of a try tells of its route and its backend. [loop]
#pragma once

#include "runtime/pipeline/call_metrics.hpp"

namespace backplane {

// `error`: null where it went well.
void end_try(CallMetrics& metrics, const Route& route, const RouteTry& given,
             AttemptOutcome outcome, const Error* error, std::int64_t now_ns);

}  // namespace backplane

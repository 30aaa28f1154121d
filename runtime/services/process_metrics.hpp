// SPDX-License-Identifier: Apache-2.0
// What every program tells Prometheus of itself: process_* and the build.
#pragma once

#include "runtime/services/metrics.hpp"

#include <backplane/result.hpp>

namespace backplane {

// [control] Values are read when they are exported.
Status define_process_metrics(MetricsRegistry& registry);

}  // namespace backplane

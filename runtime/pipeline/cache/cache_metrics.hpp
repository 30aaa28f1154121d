// SPDX-License-Identifier: Apache-2.0
// What the cache tells of itself; what single calls get from it is counted by CallMetrics.
#pragma once

#include "runtime/pipeline/cache/response_cache.hpp"
#include "runtime/services/metrics.hpp"

#include <backplane/result.hpp>

namespace backplane {

// [control] Both outlive what is exported.
Status define_cache_metrics(MetricsRegistry& registry, const ResponseCache& cache);

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
// Connections of clients and to upstreams, as metrics.
#pragma once

#include "runtime/net/http.hpp"
#include "runtime/net/net.hpp"
#include "runtime/services/metrics.hpp"

#include <backplane/result.hpp>

namespace backplane {

// [control] `net` and `http` live as long as anybody exports the registry.
Status define_network_metrics(MetricsRegistry& registry, const Net& net, const HttpClient& http);

}  // namespace backplane

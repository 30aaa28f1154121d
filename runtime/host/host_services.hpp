// SPDX-License-Identifier: Apache-2.0
// What lives as long as the runtime, whatever deployment it runs: loops, sockets, log, metrics.
#pragma once

#include "runtime/config/deployment.hpp"
#include "runtime/net/http.hpp"
#include "runtime/net/loop.hpp"
#include "runtime/net/net.hpp"
#include "runtime/pipeline/cache/response_cache.hpp"
#include "runtime/pipeline/router.hpp"
#include "runtime/services/clock.hpp"
#include "runtime/services/instance_host.hpp"
#include "runtime/services/key_value_store.hpp"
#include "runtime/services/logger.hpp"
#include "runtime/services/metrics.hpp"
#include "runtime/telemetry/tracer.hpp"

#include <memory>

namespace backplane {

LogLevel level_of(config::LogLevel level);
LogFormat format_of(config::LogFormat format);

struct HostServices {
  explicit HostServices(const config::Log& log);

  Status start(std::uint32_t loop_count);
  // Without a net of its own, a gateway and secrets, which differ between instances.
  SharedServices shared();
  // What was posted before this, and what that posts, has run. [control]
  void settle_loops();

  Logger logger;
  MetricsRegistry metrics;
  KeyValueStore store;
  RouteStates route_states;  // [control]
  ResponseCache cache;
  std::unique_ptr<Loops> loops;
  std::unique_ptr<Net> net;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<Tracer> tracer;  // of the first deployment; null: nothing is traced
};

}  // namespace backplane

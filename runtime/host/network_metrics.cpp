// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/network_metrics.hpp"

#include <array>

namespace backplane {
namespace {

struct Row {
  std::uint32_t kind;
  const char* name;
  const char* help;
  LoopCount HttpCounts::*which;
};

constexpr std::array<Row, 5> kRows = {{
    {BP_METRIC_GAUGE, "backplane_upstream_connections", "Connections to upstreams",
     &HttpCounts::connections},
    {BP_METRIC_GAUGE, "backplane_upstream_idle_connections",
     "Connections to upstreams that are kept for the next request", &HttpCounts::idle},
    {BP_METRIC_GAUGE, "backplane_upstream_waiting_requests",
     "Requests that wait for a connection to an upstream", &HttpCounts::waiting},
    {BP_METRIC_COUNTER, "backplane_upstream_connections_opened_total",
     "Connections to upstreams that were opened", &HttpCounts::opened},
    {BP_METRIC_COUNTER, "backplane_upstream_connections_reused_total",
     "Requests that went out on a kept connection", &HttpCounts::reused},
}};

}  // namespace

Status define_network_metrics(MetricsRegistry& registry, const Net& net, const HttpClient& http) {
  Status status = registry.observe(
      {BP_METRIC_GAUGE, "backplane_connections", "Connections of clients", {}, 1, {}},
      [&net] { return static_cast<std::int64_t>(net.connection_count()); });
  if (status) {
    status = registry.observe({BP_METRIC_COUNTER,
                               "backplane_connections_accepted_total",
                               "Connections of clients that were accepted",
                               {},
                               1,
                               {}},
                              [&net] { return static_cast<std::int64_t>(net.accepted_count()); });
  }
  for (const Row& row : kRows) {
    if (!status) break;
    status = registry.observe({row.kind, row.name, row.help, {}, 1, {}},
                              [&http, which = row.which] { return http.count(which); });
  }
  return status;
}

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/export_metrics.hpp"

namespace backplane {

Result<ExportMetrics> ExportMetrics::create(MetricsRegistry& registry) {
  ExportMetrics metrics(registry);
  const Result<std::uint64_t> exported = registry.define({BP_METRIC_COUNTER,
                                                          "backplane_trace_spans_exported_total",
                                                          "Spans that the collector took",
                                                          {},
                                                          1,
                                                          {}});
  if (!exported) return exported.error();
  metrics.exported_ = *exported;
  constexpr std::array<const char*, 4> kReasons = {"queue_full", "refused", "failed", "shutdown"};
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    const Result<std::uint64_t> lost = registry.define({BP_METRIC_COUNTER,
                                                        "backplane_trace_spans_dropped_total",
                                                        "Spans that no collector took, and why",
                                                        {{"reason", kReasons[i]}},
                                                        1,
                                                        {}});
    if (!lost) return lost.error();
    metrics.lost_[i] = *lost;
  }
  return metrics;
}

}  // namespace backplane

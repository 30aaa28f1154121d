// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/cache/cache_metrics.hpp"

namespace backplane {

Status define_cache_metrics(MetricsRegistry& registry, const ResponseCache& cache) {
  struct Row {
    std::uint32_t kind;
    const char* name;
    const char* help;
    std::uint64_t (*read)(const ResponseCache& cache);
  };
  static constexpr std::array<Row, 5> kRows = {{
      {BP_METRIC_GAUGE, "backplane_cache_answers", "Answers that are kept",
       [](const ResponseCache& of) { return of.size().answers; }},
      {BP_METRIC_GAUGE, "backplane_cache_bytes", "Memory of the answers that are kept",
       [](const ResponseCache& of) { return of.size().bytes; }},
      {BP_METRIC_COUNTER, "backplane_cache_evictions_total", "Answers that went to make room",
       [](const ResponseCache& of) { return of.evictions(); }},
      {BP_METRIC_GAUGE, "backplane_cache_flights", "Requests whose answer one call brings for all",
       [](const ResponseCache& of) { return of.flights(); }},
      {BP_METRIC_GAUGE, "backplane_cache_recording_bytes", "Memory of answers that may be kept",
       [](const ResponseCache& of) { return of.reserved_bytes(); }},
  }};
  Status status = ok();
  for (const Row& row : kRows) {
    if (!status) break;
    status = registry.observe({row.kind, row.name, row.help, {}, 1, {}}, [&cache, read = row.read] {
      return static_cast<std::int64_t>(read(cache));
    });
  }
  return status;
}

}  // namespace backplane

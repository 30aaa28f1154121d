/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.metrics/1: counters, gauges and histograms in the host's /metrics. Offered by the host.
 * Series are made at start, used by handle. Values are integers; the exported value is
 * value / denominator (a histogram kept in nanoseconds with denominator 10^9 exports seconds).
 */
#ifndef BACKPLANE_METRICS_H
#define BACKPLANE_METRICS_H

#include <backplane/abi.h>

#define BP_METRICS_ID "bp.metrics/1"

#define BP_METRIC_COUNTER 0u
#define BP_METRIC_GAUGE 1u
#define BP_METRIC_HISTOGRAM 2u

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_metric_options {
  uint32_t struct_size;
  uint32_t kind; /* BP_METRIC_* */
  bp_str name;   /* [a-z_]+, unit last: "tokens_total", "queue_seconds" */
  bp_str help;
  const bp_pair* labels;
  uint64_t label_count;
  int64_t denominator;   /* at least 1 */
  const int64_t* bounds; /* histogram: ascending upper bounds, before division */
  uint64_t bound_count;
} bp_metric_options;

typedef struct bp_metrics {
  uint32_t struct_size;
  uint32_t reserved0;
  void* context;

  /* [control] The same name and labels give the same handle. At most 10 000 series a host. */
  uint32_t (*define)(void* context, const bp_metric_options* options, uint64_t* out,
                     bp_error* error);

  /* [any-thread] Counter: adds value >= 0. Gauge: adds. Histogram: observes. */
  void (*add)(void* context, uint64_t handle, int64_t value);

  /* [any-thread] Gauge only. */
  void (*set)(void* context, uint64_t handle, int64_t value);
} bp_metrics;

#ifdef __cplusplus
}
#endif

#endif /* BACKPLANE_METRICS_H */

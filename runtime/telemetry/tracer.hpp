// SPDX-License-Identifier: Apache-2.0
// Tracing of one deployment: which calls are recorded, and where their spans go (OTLP over HTTP, in
// JSON). Without one nothing is traced.
#pragma once

#include "runtime/telemetry/span_exporter.hpp"
#include "runtime/telemetry/trace_context.hpp"

#include <backplane/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

struct TracerSettings {
  std::string endpoint;  // "http://127.0.0.1:4318"; spans go to its /v1/traces
  std::vector<std::pair<std::string, std::string>> headers;     // of every export; may be secret
  std::vector<std::pair<std::string, std::string>> attributes;  // of the resource
  std::string service_name = "backplane";
  double sample_ratio = 1.0;  // of the traces that begin here, 0 to 1
};

// What a tracer stands on; outlives it.
struct TracerServices {
  const bp_loop_service& loops;
  const bp_http& http;
  const bp_clock& clock;
  MetricsRegistry& registry;
  Logger& logger;
};

class Tracer {
 public:
  // [control] Fails where there are too many metric series.
  static Result<std::unique_ptr<Tracer>> create(const TracerServices& services,
                                                TracerSettings settings);
  // After stop, or with loops that run no more.
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  const bp_clock& clock() const { return context_.clock; }

  // [any-thread] The beginning of a trace: its ids, and by its flags whether it is recorded.
  TraceContext new_trace() const;
  SpanId new_span_id() const;

  // [loop: loop] Takes a complete span.
  void export_span(bp_loop* loop, std::string_view span);

  // [control] not from a loop's thread, while the loops run. Sends what waits within `timeout_ms`,
  // drops the rest. Idempotent. No call is left that is traced by it.
  void stop(std::uint64_t timeout_ms);

 private:
  Tracer(const TracerServices& services, TracerSettings settings, ExportMetrics metrics);
  ExportContext context_;
  const std::uint64_t threshold_;  // of a trace's random 56 bits: those from here on are recorded
  std::vector<std::unique_ptr<SpanExporter>> exporters_;
  bool stopped_ = false;
};

}  // namespace backplane

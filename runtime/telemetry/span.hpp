// SPDX-License-Identifier: Apache-2.0
// One span as JSON of the OpenTelemetry protocol (opentelemetry.io/docs/specs/otlp, trace.proto):
// ids in hex, 64-bit integers as text.
#pragma once

#include "runtime/telemetry/trace_context.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

enum class SpanKind : std::uint8_t { kServer = 2, kClient = 3 };

struct SpanIdentity {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_id{};      // zero: a root
  bool is_remote = false;  // the parent is another process'
};

// Writes one span; the text is complete after end. Attributes are written once each.
class SpanWriter {
 public:
  // Clears `out`, which must outlive this object.
  SpanWriter(std::string& out, const SpanIdentity& identity, SpanKind kind, std::string_view name,
             std::int64_t start_unix_ns, std::int64_t end_unix_ns);

  void text(std::string_view key, std::string_view value);
  void integer(std::string_view key, std::uint64_t value);
  void real(std::string_view key, double value);
  void boolean(std::string_view key, bool value);
  void texts(std::string_view key, const std::vector<std::string>& values);
  // Empty: the status stays unset, as instrumentation leaves it where all went well.
  void end(std::string_view error_message);

 private:
  void begin_attribute(std::string_view key, std::string_view type);
  std::string& out_;
  bool is_first_ = true;
};

// `text` as a JSON string, quotes included, appended to `out`.
void append_json(std::string& out, std::string_view text);

// What stands before and after the spans of one ExportTraceServiceRequest; spans are separated by
// commas.
struct ExportFrame {
  std::string before;
  std::string after;
};
ExportFrame make_export_frame(
    const std::vector<std::pair<std::string, std::string>>& resource_attributes,
    std::string_view version);

}  // namespace backplane

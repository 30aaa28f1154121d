// SPDX-License-Identifier: Apache-2.0
// The spans of one call: a SERVER span for the call, a CLIENT span for each try on a backend, with
// the attributes of OpenTelemetry's conventions for generative AI. Lives on the call's loop. Holds
// nothing of what was asked or answered.
#pragma once

#include "runtime/telemetry/tracer.hpp"

#include <backplane/abi.h>

#include <backplane/result.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

// Of a call that is begun; all of it outlives its trace.
struct TracedCall {
  bp_loop* loop = nullptr;
  std::string_view request_id;
  std::string_view operation;           // as in bp_request
  std::string_view model;               // the public name
  std::uint64_t max_output_tokens = 0;  // 0: not given
  bool stream = false;
};

// Where a call's trace comes from: the one valid traceparent in its metadata. [any-thread]
std::optional<TraceContext> trace_of(
    const std::vector<std::pair<std::string, std::string>>& metadata);

class CallTrace {
 public:
  // Null where there is nothing to do: without a tracer, or in a trace that is not recorded, whose
  // headers then pass as they came. Times are monotonic.
  static std::unique_ptr<CallTrace> begin(
      Tracer* tracer, const std::vector<std::pair<std::string, std::string>>& metadata,
      std::int64_t now_ns);
  void describe(const TracedCall& call) { call_ = call; }

  std::string trace_id() const { return hex_of(context_.trace_id); }
  // May the client's own header go to a backend?
  bool passes(std::string_view name) const;
  // For backends; its value is that of the latest attempt.
  bp_pair traceparent() const;

  // Text lives until attempt_ends.
  void attempt_begins(std::string_view backend, std::string_view plugin, std::string_view model,
                      std::int64_t now_ns);
  // Of the call and of the attempt: the first bytes for the client.
  void first_event(std::int64_t now_ns);
  void finish_reason(std::string_view reason);
  void usage(const bp_usage& usage) { usage_ = usage; }
  void attempt_ends(const Error* error, std::int64_t now_ns);
  // What the client is told, or would be.
  void fails(const Error& error);
  // Once, last.
  void ends(std::string_view outcome, std::int64_t now_ns);

 private:
  struct Failure {
    std::string type;
    const char* message = "";
    std::uint32_t http_status = 0;
  };
  CallTrace(Tracer& tracer, const TraceContext& context, SpanId parent_id, std::int64_t now_ns);
  static Failure failure_of(const Error& error);
  bool records() const { return context_.sampled(); }
  std::int64_t unix_ns(std::int64_t at_ns) const { return begun_unix_ns_ + at_ns - begun_ns_; }
  std::string name_of(std::string_view model) const;
  void write_common(SpanWriter& span) const;
  void write_usage(SpanWriter& span) const;
  void write_first_event(SpanWriter& span, std::int64_t since_ns) const;

  Tracer& tracer_;
  const TraceContext context_;  // its span is that of the call
  const SpanId parent_id_;
  const std::int64_t begun_ns_;
  const std::int64_t begun_unix_ns_;
  TracedCall call_;
  SpanId attempt_id_;
  std::string traceparent_;
  std::string_view backend_;
  std::string_view plugin_;
  std::string_view attempt_model_;
  std::int64_t attempt_begun_ns_ = 0;
  std::uint32_t attempts_ = 0;
  std::int64_t first_event_ns_ = 0;  // 0: none
  std::optional<bp_usage> usage_;    // of the attempt
  std::vector<std::string> finish_reasons_;
  std::optional<Failure> failure_;
};

}  // namespace backplane

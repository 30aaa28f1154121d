// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/call_trace.hpp"

#include <algorithm>
#include <array>
#include <backplane/plugin.hpp>

namespace backplane {
namespace {

constexpr std::size_t kFinishReasonsMax = 16;
constexpr std::size_t kFinishReasonMaxBytes = 32;

// What the conventions call the operations that they know; others keep their name.
std::string_view operation_name(std::string_view operation) {
  if (operation == "chat.completions" || operation == "responses") return "chat";
  if (operation == "completions") return "text_completion";
  return operation;
}

struct CodeText {
  const char* type;
  const char* message;
};

// An error's own message may hold what the client wrote.
CodeText text_of(Code code) {
  static constexpr std::array<CodeText, 17> kTexts = {{
      {"ok", ""},
      {"cancelled", "the call was cancelled"},
      {"unknown", "the call failed"},
      {"invalid_argument", "the request was refused"},
      {"deadline_exceeded", "the time was over"},
      {"not_found", "what the request names was not found"},
      {"already_exists", "what the request makes exists"},
      {"permission_denied", "the caller may not do this"},
      {"resource_exhausted", "a limit was reached"},
      {"failed_precondition", "the request does not fit the state"},
      {"aborted", "the call was given up"},
      {"out_of_range", "the request is out of range"},
      {"unimplemented", "the operation is not served"},
      {"internal", "something broke"},
      {"unavailable", "not reachable for now"},
      {"data_loss", "the answer was broken off"},
      {"unauthenticated", "the caller is not known"},
  }};
  const auto index = static_cast<std::size_t>(code);
  return kTexts[index < kTexts.size() ? index : 2];
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
  });
}

// The ids of a call's attempts follow its own.
void advance(SpanId& id) {
  do {
    for (std::size_t i = id.size(); i-- > 0 && ++id[i] == 0;) {
    }
  } while (id == SpanId{});
}

}  // namespace

std::optional<TraceContext> trace_of(
    const std::vector<std::pair<std::string, std::string>>& metadata) {
  const auto is_it = [](const auto& pair) { return pair.first == "traceparent"; };
  const auto found = std::find_if(metadata.begin(), metadata.end(), is_it);
  if (found == metadata.end()) return std::nullopt;
  if (std::find_if(found + 1, metadata.end(), is_it) != metadata.end()) return std::nullopt;
  return parse_traceparent(found->second);
}

std::unique_ptr<CallTrace> CallTrace::begin(
    Tracer* tracer, const std::vector<std::pair<std::string, std::string>>& metadata,
    std::int64_t now_ns) {
  if (tracer == nullptr) return nullptr;
  SpanId parent_id{};
  std::optional<TraceContext> context = trace_of(metadata);
  if (context) {
    if (!context->sampled()) return nullptr;
    parent_id = context->span_id;
  } else {
    context = tracer->new_trace();
  }
  context->span_id = tracer->new_span_id();
  return std::unique_ptr<CallTrace>(new CallTrace(*tracer, *context, parent_id, now_ns));
}

CallTrace::CallTrace(Tracer& tracer, const TraceContext& context, SpanId parent_id,
                     std::int64_t now_ns)
    : tracer_(tracer),
      context_(context),
      parent_id_(parent_id),
      begun_ns_(now_ns),
      begun_unix_ns_(tracer.clock().unix_ns(tracer.clock().context)),
      attempt_id_(context.span_id),
      traceparent_(format_traceparent(context)) {}

bool CallTrace::passes(std::string_view name) const {
  const bool is_root = parent_id_ == SpanId{};
  return name != "traceparent" && (name != "tracestate" || !is_root);
}

bp_pair CallTrace::traceparent() const {
  return {str("traceparent"), str(traceparent_)};
}

// The text keeps its place in memory: headers refer to it.
void CallTrace::attempt_begins(std::string_view backend, std::string_view plugin,
                               std::string_view model, std::int64_t now_ns) {
  if (!records()) return;
  constexpr std::size_t kSpanAt = 36;
  advance(attempt_id_);
  const std::string id = hex_of(attempt_id_);
  std::copy(id.begin(), id.end(), traceparent_.begin() + kSpanAt);
  backend_ = backend;
  plugin_ = plugin;
  attempt_model_ = model;
  attempt_begun_ns_ = now_ns;
  usage_.reset();
  finish_reasons_.clear();
  ++attempts_;
}

void CallTrace::first_event(std::int64_t now_ns) {
  first_event_ns_ = now_ns;
}

void CallTrace::finish_reason(std::string_view reason) {
  if (finish_reasons_.size() == kFinishReasonsMax || reason.size() > kFinishReasonMaxBytes) return;
  if (is_word(reason)) finish_reasons_.emplace_back(reason);
}

CallTrace::Failure CallTrace::failure_of(const Error& error) {
  const CodeText text = text_of(error.code);
  return {is_word(error.type) ? error.type : text.type, text.message, error.http_status};
}

void CallTrace::attempt_ends(const Error* error, std::int64_t now_ns) {
  if (!records()) return;
  std::string text;
  SpanWriter span(text, {context_.trace_id, attempt_id_, context_.span_id, false},
                  SpanKind::kClient, name_of(attempt_model_), unix_ns(attempt_begun_ns_),
                  unix_ns(now_ns));
  write_common(span);
  span.text("gen_ai.provider.name", plugin_.empty() ? backend_ : plugin_);
  span.text("gen_ai.request.model", attempt_model_);
  if (first_event_ns_ != 0) span.text("gen_ai.response.model", attempt_model_);
  span.text("backplane.backend", backend_);
  span.integer("backplane.attempt", attempts_);
  if (!finish_reasons_.empty()) span.texts("gen_ai.response.finish_reasons", finish_reasons_);
  write_first_event(span, attempt_begun_ns_);
  write_usage(span);
  const std::optional<Failure> failure =
      error != nullptr ? std::optional(failure_of(*error)) : std::nullopt;
  if (failure) span.text("error.type", failure->type);
  span.end(failure ? failure->message : "");
  tracer_.export_span(call_.loop, text);
}

void CallTrace::fails(const Error& error) {
  if (!failure_) failure_ = failure_of(error);
}

void CallTrace::ends(std::string_view outcome, std::int64_t now_ns) {
  if (!records()) return;
  constexpr std::uint32_t kOk = 200;
  std::string text;
  SpanWriter span(text, {context_.trace_id, context_.span_id, parent_id_, true}, SpanKind::kServer,
                  name_of(call_.model), unix_ns(begun_ns_), unix_ns(now_ns));
  write_common(span);
  span.text("gen_ai.request.model", call_.model);
  write_first_event(span, begun_ns_);
  span.text("backplane.request_id", call_.request_id);
  span.text("backplane.outcome", outcome);
  span.integer("backplane.attempts", attempts_);
  const std::uint32_t status = first_event_ns_ != 0 ? kOk : failure_ ? failure_->http_status : 0;
  if (status != 0) span.integer("http.response.status_code", status);
  if (failure_) span.text("error.type", failure_->type);
  span.end(failure_ && outcome == "failed" ? failure_->message : "");
  tracer_.export_span(call_.loop, text);
}

std::string CallTrace::name_of(std::string_view model) const {
  return std::string(operation_name(call_.operation)) + ' ' + std::string(model);
}

void CallTrace::write_common(SpanWriter& span) const {
  span.text("gen_ai.operation.name", operation_name(call_.operation));
  if (call_.stream) span.boolean("gen_ai.request.stream", true);
  if (call_.max_output_tokens != 0) {
    span.integer("gen_ai.request.max_tokens", call_.max_output_tokens);
  }
}

// Parts are left out where they are 0, which is also what they are where nobody told them.
void CallTrace::write_usage(SpanWriter& span) const {
  if (!usage_) return;
  span.integer("gen_ai.usage.input_tokens", usage_->prompt_tokens);
  span.integer("gen_ai.usage.output_tokens", usage_->completion_tokens);
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"gen_ai.usage.cache_read.input_tokens", usage_->cached_prompt_tokens},
      {"gen_ai.usage.reasoning.output_tokens", usage_->reasoning_tokens}};
  for (const auto& [key, count] : counts) {
    if (count != 0) span.integer(key, count);
  }
}

void CallTrace::write_first_event(SpanWriter& span, std::int64_t since_ns) const {
  constexpr double kSecondNs = 1e9;
  if (!call_.stream || first_event_ns_ == 0) return;
  span.real("gen_ai.response.time_to_first_chunk",
            static_cast<double>(first_event_ns_ - since_ns) / kSecondNs);
}

}  // namespace backplane

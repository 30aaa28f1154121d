// SPDX-License-Identifier: Apache-2.0
// The part of a call that passes on what its backend says.
#include "runtime/pipeline/call.hpp"

#include "runtime/pipeline/credentials.hpp"
#include "runtime/pipeline/plugin_error.hpp"

namespace backplane {
namespace {

bool is_piece(std::uint32_t type) {
  return type == BP_EVENT_TEXT || type == BP_EVENT_CHUNK || type == BP_EVENT_REASONING ||
         type == BP_EVENT_TOOL_CALL;
}

}  // namespace

std::uint32_t GatewayCall::on_event(const bp_event& event) {
  if (event.type == BP_EVENT_USAGE && event.usage != nullptr) {
    usage_ = *event.usage;
    usage_.struct_size = sizeof(bp_usage);
    has_usage_ = true;
    if (trace_ != nullptr) trace_->usage(usage_);
  }
  if (trace_ != nullptr && event.type == BP_EVENT_FINISH) trace_->finish_reason(view(event.data));
  if (cancelling_ || phase_ == Phase::kOver) return BP_FLOW_STOP;
  if (event.type == BP_EVENT_HEAD) {
    if (event.rate_limit != nullptr) route_->state->heed(*event.rate_limit, now_ns());
    if (!head_sent_) keep_headers(event, headers_);
    return BP_FLOW_CONTINUE;
  }
  if (event.type == BP_EVENT_RECEIPT) {
    receipt_ = view(event.data);
    return BP_FLOW_CONTINUE;
  }
  // It is nothing that a client has seen: another backend may still answer.
  if (event.type == BP_EVENT_USAGE && !head_sent_) return BP_FLOW_CONTINUE;
  streams_ |= event.type == BP_EVENT_CHUNK;
  if (continuation_ != nullptr && continuation_->is_under_way()) return on_continued(event);
  if (!head_sent_) send_head();
  if (cancelling_ || phase_ == Phase::kOver) return BP_FLOW_STOP;
  if (is_piece(event.type)) ++pieces_;
  if (event.type == BP_EVENT_BODY) pieces_ = 1;
  if (continuation_ != nullptr) continuation_->note(event);
  return answer_to(send(event));
}

// What is to be told to the backend.
std::uint32_t GatewayCall::answer_to(std::uint32_t flow) {
  if (flow == BP_FLOW_STOP) client_cancelled("by the transport");
  return flow == BP_FLOW_STOP ? flow : paused_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
}

// Of a backend that goes on where another one has failed.
std::uint32_t GatewayCall::on_continued(const bp_event& event) {
  if (event.type == BP_EVENT_USAGE) {
    const bp_usage all = continuation_->usage(told_usage());
    bp_event together = event;
    together.usage = &all;
    return answer_to(send(together));
  }
  if (event.type == BP_EVENT_BODY) {
    break_off(internal_error("the backend sent an event that does not fit this call"),
              CallOutcome::kFailed);
    return BP_FLOW_STOP;
  }
  if (phase_ == Phase::kTrying) {
    phase_ = Phase::kStreaming;
    note_first_event(now_ns());
  }
  if (is_piece(event.type)) ++pieces_;
  return answer_to(continuation_->pass_on(event, {route_->backend->name, route_->model, tries_},
                                          [this](const bp_event& part) { return send(part); }));
}

void GatewayCall::on_end(const bp_event& terminal) {
  attempt_ = nullptr;
  const bool has_failed = terminal.type != BP_EVENT_END;
  const Error error = !has_failed ? Error{}
                      : terminal.error != nullptr
                          ? read_error(*terminal.error)
                          : internal_error("the backend failed without a word");
  note_end_of_attempt(has_failed ? &error : nullptr);
  if (terminal.rate_limit != nullptr) route_->state->heed(*terminal.rate_limit, now_ns());
  if (cancelling_) return finish(outcome_);
  if (phase_ == Phase::kOver) return destroy_when_idle();
  if (!has_failed) return succeed(terminal);
  if (input_ != nullptr && input_->fault()) {
    const bool gone = input_->fault()->code == Code::kCancelled;
    return fail(*input_->fault(), gone ? CallOutcome::kClientGone : CallOutcome::kFailed, nullptr);
  }
  fail_or_try_next(error);
}

void GatewayCall::succeed(const bp_event& terminal) {
  if (!head_sent_) send_head();
  if (phase_ == Phase::kOver) return;
  const bool is_continued = continuation_ != nullptr && continuation_->is_under_way();
  // What two routes wrote between them is no answer to give again.
  if (cache_ != nullptr && !is_continued) keep_answer(terminal);
  finish(CallOutcome::kOk);
  if (is_continued) {
    continuation_->finish(usage_, [this](const bp_event& part) { return send(part); });
  }
  bp_event end{};
  end.type = BP_EVENT_END;
  end.data = terminal.data;
  send(end);
}

// Settled before it is told, so that no end a client sees can be without its books.
void GatewayCall::fail(const Error& error, CallOutcome outcome, const Refusal* refusal) {
  if (trace_ != nullptr) trace_->fails(error);
  finish(outcome);
  send_error(error, refusal);
}

void GatewayCall::fail_or_try_next(const Error& error) {
  last_error_ = error;
  // What the client did wrong is told to the client; it must not be able to fill the log.
  log(is_retryable(error) ? LogLevel::kWarn : LogLevel::kDebug,
      "a backend failed: " + error.message);
  if (rival_ != nullptr && is_retryable(error)) return adopt_rival();
  if (head_sent_ ? !may_continue(error) : !may_try_next(error)) {
    return fail(error, CallOutcome::kFailed, nullptr);
  }
  phase_ = Phase::kTrying;
  headers_.clear();
  receipt_.clear();
  usage_ = {};
  has_usage_ = false;
  context_.metrics.fallback();
  post([](void* self) { static_cast<GatewayCall*>(self)->run_posted(&GatewayCall::try_next); });
}

// Before the end is told, so that whoever has seen it can ask.
void GatewayCall::keep_receipt() {
  if (receipt_.empty()) return;
  const std::string caller = caller_of(charge_metadata_.data(), charge_metadata_.size());
  loop_calls_.receipts.put(id_, caller, std::move(receipt_), now_ns());
}

void GatewayCall::send_head() {
  end_race();
  head_sent_ = true;
  phase_ = Phase::kStreaming;
  const std::int64_t now = now_ns();
  context_.metrics.first_event(model_, now - begun_ns_);
  if (trace_ != nullptr) trace_->first_event(now);
  // A form's `stream` may have come behind its model, and speech is a stream without asking.
  streams_ |= scan_.stream || (input_ != nullptr && input_->wants_stream());
  if (route_ != nullptr) note_first_event(now);
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : headers_) pairs.push_back({str(name), str(value)});
  pairs.push_back({str("x-backplane-generation"), str(context_.generation_text)});
  const std::string tries = std::to_string(tries_);
  add_route(pairs, tries);
  std::string age;
  if (cache_ != nullptr) add_cache_headers(pairs, age);
  bp_event head{};
  head.type = BP_EVENT_HEAD;
  head.flags = (streams_ ? BP_REQUEST_STREAM : 0U) | (scan_.include_usage ? BP_REQUEST_USAGE : 0U);
  head.data = str(model_.name);
  head.detail = str(id_);
  head.headers = pairs.data();
  head.header_count = pairs.size();
  if (send(head) == BP_FLOW_STOP) return client_cancelled("by the transport");
  // The client may have left inside it.
  if (!has_usage_ || cancelling_ || phase_ == Phase::kOver) return;
  bp_event usage{};
  usage.type = BP_EVENT_USAGE;
  usage.usage = &usage_;
  if (send(usage) == BP_FLOW_STOP) client_cancelled("by the transport");
}

// Who answers, and how many were asked.
void GatewayCall::add_route(std::vector<bp_pair>& headers, const std::string& tries) const {
  if (route_ == nullptr) return;
  headers.push_back({str("x-backplane-provider"), str(route_->backend->name)});
  headers.push_back({str("x-backplane-model"), str(route_->model)});
  headers.push_back({str("x-backplane-attempts"), str(tries)});
}

std::uint32_t GatewayCall::send(bp_event event) {
  if (released_) return BP_FLOW_STOP;
  event.struct_size = sizeof(bp_event);
  event.sequence = sequence_++;
  if (cache_ != nullptr) cache_->note(event);
  const std::uint32_t flow = sink_.emit(sink_.context, &event);
  if (flow == BP_FLOW_PAUSE) paused_ = true;
  return released_ ? BP_FLOW_STOP : flow;
}

void GatewayCall::send_error(const Error& error, const Refusal* refusal) {
  bp_error out;
  report(error, &out);
  bp_event event{};
  event.type = BP_EVENT_ERROR;
  event.error = &out;
  std::vector<bp_pair> pairs;
  const std::string tries = std::to_string(tries_);
  if (!head_sent_) add_route(pairs, tries);
  if (refusal != nullptr) {
    for (const auto& [name, value] : refusal->headers) pairs.push_back({str(name), str(value)});
    event.data = str(refusal->body);
    event.detail = str(refusal->content_type);
  }
  event.headers = pairs.data();
  event.header_count = pairs.size();
  send(event);
}

}  // namespace backplane

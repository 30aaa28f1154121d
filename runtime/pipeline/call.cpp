// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/call.hpp"

#include "runtime/pipeline/plugin_error.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

bool is_credential(std::string_view name) {
  constexpr std::array<std::string_view, 6> kCredentials = {
      "authorization", "x-payment", "payment-signature",
      "x-api-key",     "cookie",    "proxy-authorization"};
  return std::find(kCredentials.begin(), kCredentials.end(), name) != kCredentials.end();
}

bool is_piece(std::uint32_t type) {
  return type == BP_EVENT_TEXT || type == BP_EVENT_CHUNK;
}

std::string make_id(const bp_clock& clock) {
  constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  clock.random(clock.context, bytes.data(), bytes.size());
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kHex[byte >> 4U];
    id += kHex[byte & 15U];
  }
  return id;
}

}  // namespace

GatewayCall::GatewayCall(CallContext& context, LoopCalls& loop_calls, LoopUsers& users,
                         const bp_request& request, const bp_sink& sink, RequestScan scan,
                         const Model& model, std::vector<const Route*> routes)
    : bp_call{
          sizeof(bp_call), 0,
          [](bp_call* self) { static_cast<GatewayCall*>(self)->client_cancelled("by the client"); },
          [](bp_call* self) { static_cast<GatewayCall*>(self)->client_resumed(); },
          [](bp_call* self) { static_cast<GatewayCall*>(self)->client_left(); }},
      generation_(users),
      context_(context),
      loop_calls_(loop_calls),
      position_(loop_calls.live.insert(loop_calls.live.end(), this)),
      sink_(sink),
      scan_(std::move(scan)),
      model_(model),
      routes_(std::move(routes)),
      id_(request.id.size != 0 ? std::string(view(request.id)) : make_id(context.clock)),
      operation_(view(request.operation)),
      content_type_(view(request.content_type)),
      body_(request.body),
      settlement_(context.payments, context.loops, loop_calls.loop) {
  metadata_.reserve(request.metadata_count);
  for (std::uint64_t i = 0; i < request.metadata_count; ++i) {
    metadata_.emplace_back(view(request.metadata[i].name), view(request.metadata[i].value));
  }
  begun_ns_ = now_ns();
  begin_trace();
  for (const auto& [name, value] : metadata_) {
    charge_metadata_.push_back({str(name), str(value)});
    if (is_credential(name) || (trace_ != nullptr && !trace_->passes(name))) continue;
    backend_metadata_.push_back({str(name), str(value)});
  }
  if (trace_ != nullptr) backend_metadata_.push_back(trace_->traceparent());
  deadline_ns_ =
      begun_ns_ + static_cast<std::int64_t>(context.limits.call_timeout_ms) * kMillisecondNs;
  if (request.deadline_ns != 0) deadline_ns_ = std::min(deadline_ns_, request.deadline_ns);
  loop_calls_.live_calls.fetch_add(1);
  context_.metrics.begun();
}

GatewayCall::~GatewayCall() {
  loop_calls_.live.erase(position_);
  loop_calls_.live_calls.fetch_sub(1);
}

void GatewayCall::begin_trace() {
  trace_ = CallTrace::begin(context_.tracer, metadata_, begun_ns_);
  if (trace_ == nullptr) return;
  trace_->describe(
      {loop_calls_.loop, id_, operation_, model_.name, scan_.max_output_tokens, scan_.stream});
}

void GatewayCall::note_end_of_attempt(const Error* error) {
  context_.metrics.attempt_ended(*routes_[next_route_ - 1]->backend,
                                 error != nullptr ? outcome_of(*error) : AttemptOutcome::kOk);
  if (trace_ != nullptr) trace_->attempt_ends(error, now_ns());
}

std::string GatewayCall::trace_id() const {
  if (trace_ != nullptr) return trace_->trace_id();
  const auto client = trace_of(metadata_);
  return client ? hex_of(client->trace_id) : std::string();
}

void GatewayCall::start_later() {
  ++pending_posts_;
  context_.loops.post(
      loop_calls_.loop,
      [](void* self) {
        auto* call = static_cast<GatewayCall*>(self);
        --call->pending_posts_;
        call->start();
      },
      this);
}

void GatewayCall::start() {
  if (phase_ == Phase::kOver) return destroy_when_idle();
  phase_ = Phase::kAuthorizing;
  const std::int64_t left_ms = (deadline_ns_ - now_ns()) / kMillisecondNs;
  arm(deadline_timer_, static_cast<std::uint64_t>(std::max<std::int64_t>(left_ms, 0)),
      [](void* self) {
        auto* call = static_cast<GatewayCall*>(self);
        call->deadline_timer_ = 0;
        call->break_off({Code::kDeadlineExceeded, "the call did not end within its deadline",
                         "TIMEOUT", 504, 0},
                        CallOutcome::kFailed);
      });
  bp_charge charge{};
  charge.struct_size = sizeof(bp_charge);
  charge.request_id = str(id_);
  charge.operation = str(operation_);
  charge.model = str(model_.name);
  charge.metadata = charge_metadata_.data();
  charge.metadata_count = charge_metadata_.size();
  charge.input_nano_usd_per_mtok = model_.price.input_nano_usd_per_mtok;
  charge.output_nano_usd_per_mtok = model_.price.output_nano_usd_per_mtok;
  // A prompt has at most one token a byte; output without a limit has no maximum to tell.
  if ((scan_.max_output_tokens != 0 || model_.price.output_nano_usd_per_mtok == 0) &&
      input_size() != BP_SIZE_UNKNOWN) {
    charge.amount_max_nano_usd =
        cost_nano_usd(model_.price, body_.get().size + input_size(), scan_.max_output_tokens);
  }
  charge.loop = loop_calls_.loop;
  settlement_.authorize(charge, [this](const Refusal* refusal) { on_decision(refusal); });
}

void GatewayCall::on_decision(const Refusal* refusal) {
  if (phase_ == Phase::kOver) return settlement_.release();
  if (refusal != nullptr) {
    return fail(refusal->error, CallOutcome::kRefused, refusal);
  }
  phase_ = Phase::kTrying;
  try_next();
}

std::uint64_t GatewayCall::input_size() const {
  return input_ == nullptr ? 0 : input_->size();
}

bool GatewayCall::has_next() const {
  return next_route_ < std::min<std::size_t>(routes_.size(), context_.limits.attempts_max);
}

// What one backend has read of a form no other can be given.
bool GatewayCall::may_try_next(const Error& error) const {
  return is_retryable(error) && (input_ == nullptr || !input_->consumed());
}

void GatewayCall::try_next() {
  if (phase_ != Phase::kTrying || attempt_ != nullptr) return;
  while (has_next()) {
    const Status started = try_route(*routes_[next_route_++]);
    if (started) return;
    attempt_ = nullptr;
    last_error_ = started.error();
    if (!may_try_next(last_error_)) break;
    if (has_next()) context_.metrics.fallback();
  }
  fail(last_error_, CallOutcome::kFailed, nullptr);
}

Status GatewayCall::try_route(const Route& route) {
  if (!route.backend->try_enter()) {
    context_.metrics.attempt_ended(*route.backend, AttemptOutcome::kBusy);
    return Error{Code::kResourceExhausted,
                 "every backend of the model \"" + model_.name + "\" is busy; try again soon",
                 "BACKEND_BUSY", 429, 1000};
  }
  const BackendInstance& backend = *route.backend;
  context_.metrics.attempt_begun(backend);
  if (trace_ != nullptr) {
    trace_->attempt_begins(backend.name, backend.plugin, route.model, now_ns());
  }
  const bp_request request = request_for(route);
  const AttemptContext shared{
      context_.loops,
      loop_calls_.mailbox,
      context_.metrics,
      context_.logger,
      generation_.users(),
      context_.limits.cancel_grace_ms,
      request.deadline_ns < deadline_ns_ ? route.backend->timeout_ms.load() : 0,
      input_.get()};
  Status started = Attempt::start(*this, *route.backend, shared, request);
  if (!started) note_end_of_attempt(&started.error());
  return started;
}

bp_request GatewayCall::request_for(const Route& route) const {
  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.flags = (scan_.stream ? BP_REQUEST_STREAM : 0U) |
                  (scan_.include_usage ? BP_REQUEST_USAGE : 0U) |
                  (scan_.stream_options ? BP_REQUEST_STREAM_OPTIONS : 0U);
  request.id = str(id_);
  request.operation = str(operation_);
  request.content_type = str(content_type_);
  request.body = body_.get();
  request.model = str(route.model);
  request.model_offset = scan_.model_offset;
  request.model_size = scan_.model_size;
  request.max_output_tokens = scan_.max_output_tokens;
  request.deadline_ns = deadline_ns_;
  if (const std::uint64_t timeout_ms = route.backend->timeout_ms; timeout_ms != 0) {
    request.deadline_ns =
        std::min(deadline_ns_, now_ns() + static_cast<std::int64_t>(timeout_ms) * kMillisecondNs);
  }
  request.loop = loop_calls_.loop;
  request.metadata = backend_metadata_.data();
  request.metadata_count = backend_metadata_.size();
  return request;
}

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
    keep_headers(event);
    return BP_FLOW_CONTINUE;
  }
  // It is nothing that a client has seen: another backend may still answer.
  if (event.type == BP_EVENT_USAGE && !head_sent_) return BP_FLOW_CONTINUE;
  streams_ |= event.type == BP_EVENT_CHUNK;
  if (!head_sent_) send_head();
  if (cancelling_ || phase_ == Phase::kOver) return BP_FLOW_STOP;
  if (is_piece(event.type)) ++pieces_;
  if (event.type == BP_EVENT_BODY) pieces_ = 1;
  const std::uint32_t flow = send(event);
  if (flow == BP_FLOW_STOP) client_cancelled("by the transport");
  return flow == BP_FLOW_STOP ? flow : paused_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
}

void GatewayCall::on_end(const bp_event& terminal) {
  attempt_ = nullptr;
  const bool has_failed = terminal.type != BP_EVENT_END;
  const Error error = !has_failed ? Error{}
                      : terminal.error != nullptr
                          ? read_error(*terminal.error)
                          : internal_error("the backend failed without a word");
  note_end_of_attempt(has_failed ? &error : nullptr);
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
  finish(CallOutcome::kOk);
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
  if (head_sent_ || !may_try_next(error) || !has_next()) {
    return fail(error, CallOutcome::kFailed, nullptr);
  }
  headers_.clear();
  usage_ = {};
  has_usage_ = false;
  context_.metrics.fallback();
  ++pending_posts_;
  context_.loops.post(
      loop_calls_.loop,
      [](void* self) {
        auto* call = static_cast<GatewayCall*>(self);
        --call->pending_posts_;
        call->try_next();
        call->destroy_when_idle();
      },
      this);
}

void GatewayCall::keep_headers(const bp_event& event) {
  constexpr std::uint64_t kHeadersMax = 64;
  if (head_sent_) return;
  for (std::uint64_t i = 0; i < event.header_count && headers_.size() < kHeadersMax; ++i) {
    headers_.emplace_back(view(event.headers[i].name), view(event.headers[i].value));
  }
}

void GatewayCall::send_head() {
  head_sent_ = true;
  phase_ = Phase::kStreaming;
  const std::int64_t now = now_ns();
  context_.metrics.first_event(model_, now - begun_ns_);
  if (trace_ != nullptr) trace_->first_event(now);
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : headers_) pairs.push_back({str(name), str(value)});
  pairs.push_back({str("x-backplane-generation"), str(context_.generation_text)});
  bp_event head{};
  head.type = BP_EVENT_HEAD;
  // A form's `stream` may have come behind its model, and speech is a stream without asking.
  streams_ |= scan_.stream || (input_ != nullptr && input_->wants_stream());
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

std::uint32_t GatewayCall::send(bp_event event) {
  if (released_) return BP_FLOW_STOP;
  event.struct_size = sizeof(bp_event);
  event.sequence = sequence_++;
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
  if (refusal != nullptr) {
    for (const auto& [name, value] : refusal->headers) pairs.push_back({str(name), str(value)});
    event.data = str(refusal->body);
    event.detail = str(refusal->content_type);
    event.headers = pairs.data();
    event.header_count = pairs.size();
  }
  send(event);
}

void GatewayCall::break_off(const Error& error, CallOutcome outcome) {
  if (phase_ == Phase::kOver || cancelling_) return;
  if (attempt_ == nullptr) return fail(error, outcome, nullptr);
  if (trace_ != nullptr) trace_->fails(error);
  cancelling_ = true;
  if (input_ != nullptr) input_->close();
  send_error(error, nullptr);
  stop_backend(outcome);
}

void GatewayCall::client_cancelled(const char* reason) {
  break_off(
      {Code::kCancelled, std::string("the call was cancelled ") + reason, "CANCELLED", 499, 0},
      CallOutcome::kClientGone);
}

void GatewayCall::client_resumed() {
  if (phase_ == Phase::kOver || cancelling_) return;
  paused_ = false;
  if (attempt_ != nullptr) attempt_->resume();
}

void GatewayCall::client_left() {
  assert(!released_);
  released_ = true;
  if (phase_ == Phase::kOver) return destroy_when_idle();
  if (cancelling_) return;
  if (attempt_ == nullptr) return finish(CallOutcome::kClientGone);
  stop_backend(CallOutcome::kClientGone);
}

void GatewayCall::shut_down() {
  break_off({Code::kUnavailable, "the server is shutting down", "SHUTTING_DOWN", 503, 1000},
            CallOutcome::kFailed);
}

void GatewayCall::cancel_by_operator() {
  break_off({Code::kUnavailable, "the call was ended by the operator", "CANCELLED", 503, 0},
            CallOutcome::kFailed);
}

CallDescription GatewayCall::describe() const {
  constexpr const char* kPhases[] = {"new", "authorizing", "trying", "streaming", "ending"};
  const bool ending = cancelling_ || phase_ == Phase::kOver;
  return {id_,
          model_.name,
          operation_,
          next_route_ == 0 ? std::string() : routes_[next_route_ - 1]->backend->name,
          kPhases[static_cast<std::size_t>(ending ? Phase::kOver : phase_)],
          (now_ns() - begun_ns_) / kMillisecondNs,
          pieces_,
          context_.generation};
}

// The client has been told or is gone. What was produced is paid once the backend has ended.
void GatewayCall::stop_backend(CallOutcome outcome) {
  assert(attempt_ != nullptr);
  cancelling_ = true;
  outcome_ = outcome;
  if (input_ != nullptr) input_->close();
  attempt_->cancel();
}

void GatewayCall::finish(CallOutcome outcome) {
  assert(phase_ != Phase::kOver);
  phase_ = Phase::kOver;
  cancelling_ = false;
  if (input_ != nullptr) input_->close();
  disarm(deadline_timer_);
  settle(outcome);
  const std::int64_t now = now_ns();
  const std::int64_t duration_ns = now - begun_ns_;
  context_.metrics.ended(model_, outcome, duration_ns);
  if (trace_ != nullptr) trace_->ends(name_of(outcome), now);
  if (context_.logger.enabled(LogLevel::kDebug)) {
    log(LogLevel::kDebug, "call ended in " + std::to_string(duration_ns / 1000) + " us");
  }
  destroy_when_idle();
}

void GatewayCall::log(LogLevel level, std::string_view message) const {
  if (!context_.logger.enabled(level)) return;
  const std::string trace = trace_id();
  std::vector<LogField> fields = {{"request_id", id_}, {"model", model_.name}};
  if (!trace.empty()) fields.emplace_back("trace_id", trace);
  context_.logger.write(level, "pipeline", message, fields);
}

// Pays for what was produced, no more. A backend that reports no usage is taken at the number of
// pieces that were sent on. A failure that nothing came before costs nothing.
void GatewayCall::settle(CallOutcome outcome) {
  usage_.struct_size = sizeof(bp_usage);
  if (!has_usage_) usage_.completion_tokens = pieces_;
  const bool produced =
      has_usage_ ? (usage_.completion_tokens | usage_.prompt_tokens) != 0 : pieces_ > 0;
  context_.metrics.tokens(model_, usage_.prompt_tokens, usage_.completion_tokens);
  const bool in_vain = outcome == CallOutcome::kFailed && !head_sent_;
  if (outcome == CallOutcome::kRefused || in_vain || !produced) return settlement_.release();
  settlement_.settle(usage_,
                     cost_nano_usd(model_.price, usage_.prompt_tokens, usage_.completion_tokens));
}

void GatewayCall::arm(std::uint64_t& timer, std::uint64_t delay_ms, bp_task task) {
  timer = context_.loops.post_after(loop_calls_.loop, delay_ms, task, this);
}

void GatewayCall::disarm(std::uint64_t& timer) {
  if (timer != 0) context_.loops.cancel(loop_calls_.loop, timer);
  timer = 0;
}

// In a later turn: a frame of this call may be on the stack.
void GatewayCall::destroy_when_idle() {
  if (!released_ || phase_ != Phase::kOver || pending_posts_ != 0 || destroying_) return;
  assert(attempt_ == nullptr);
  destroying_ = true;
  context_.loops.post(
      loop_calls_.loop, [](void* self) { delete static_cast<GatewayCall*>(self); }, this);
}

}  // namespace backplane

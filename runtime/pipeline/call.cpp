// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/call.hpp"

#include "runtime/pipeline/try_end.hpp"

#include "runtime/pipeline/credentials.hpp"

#include <algorithm>
#include <array>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::string_view kBusy = "BACKEND_BUSY";
constexpr std::string_view kUnsupported = "UNSUPPORTED_PARAMETER";

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
                         const Model& model, RouteChoice choice)
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
      id_(request.id.size != 0 ? std::string(view(request.id)) : make_id(context.clock)),
      operation_(view(request.operation)),
      content_type_(view(request.content_type)),
      body_(request.body),
      settlement_(context.payments, context.loops, loop_calls.loop),
      choice_(std::move(choice)) {
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
  model_.budget(loop_calls_.index).deposit(model_.retry_percent);
  if (scan_.stream) model_.hedge.deposit(loop_calls_.index);
  if (model_.continues_streams && scan_.stream && operation_ == "chat.completions") {
    const std::int64_t unix_s = context.clock.unix_ns(context.clock.context) / 1'000'000'000;
    continuation_ = std::make_unique<Continuation>(
        Continuation::Stream{id_, model_.name, scan_.include_usage, unix_s});
  }
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

void GatewayCall::note_first_event(std::int64_t now_ns) {
  try_.first_event_ns = now_ns;
  try_.streams = streams_;
  route_->state->first_event(try_, route_->backend->ejection());
}

void GatewayCall::note_end_of_attempt(const Error* error) {
  const std::int64_t now = now_ns();
  // A deadline of the call's own that a silent backend has run into is the backend's doing.
  const bool is_silent = has_timed_out_ && try_.first_event_ns == 0;
  const AttemptOutcome outcome = is_silent          ? AttemptOutcome::kTimeout
                                 : error != nullptr ? outcome_of(*error)
                                                    : AttemptOutcome::kOk;
  if (trace_ != nullptr) trace_->attempt_ends(error, now);
  const std::uint64_t pieces = try_.streams ? pieces_ - pieces_before_ : 0;
  try_.tokens = has_usage_ ? usage_.completion_tokens : pieces;
  end_try(context_.metrics, *route_, try_, outcome, error, now);
}

std::string GatewayCall::trace_id() const {
  if (trace_ != nullptr) return trace_->trace_id();
  const auto client = trace_of(metadata_);
  return client ? hex_of(client->trace_id) : std::string();
}

void GatewayCall::start_later() {
  post([](void* self) { static_cast<GatewayCall*>(self)->run_posted(&GatewayCall::start); });
}

void GatewayCall::post(bp_task task) {
  ++pending_posts_;
  context_.loops.post(loop_calls_.loop, task, this);
}

void GatewayCall::run_posted(void (GatewayCall::*work)()) {
  --pending_posts_;
  (this->*work)();
  destroy_when_idle();
}

void GatewayCall::start() {
  if (phase_ == Phase::kOver) return;
  phase_ = Phase::kAuthorizing;
  const std::int64_t left_ms = (deadline_ns_ - now_ns()) / kMillisecondNs;
  arm(deadline_timer_, static_cast<std::uint64_t>(std::max<std::int64_t>(left_ms, 0)),
      [](void* self) {
        auto* call = static_cast<GatewayCall*>(self);
        call->deadline_timer_ = 0;
        call->has_timed_out_ = true;
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
  if (model_.cache.ttl_s != 0) return ask_cache();
  try_next();
}

std::uint64_t GatewayCall::input_size() const {
  return input_ == nullptr ? 0 : input_->size();
}

bool GatewayCall::has_next() const {
  const std::uint64_t most =
      std::min<std::uint64_t>(model_.attempts_max, context_.limits.attempts_max);
  return tries_ < most && choice_.has_next();
}

// What one backend has read of a form no other can be given.
bool GatewayCall::may_try_next(const Error& error) {
  if (!is_retryable(error) || !has_next()) return false;
  if (input_ != nullptr && input_->consumed()) return false;
  if (model_.budget(loop_calls_.index).withdraw(now_ns())) return true;
  context_.metrics.retry_refused();
  return false;
}

// The client has a part of the answer: another route may add the rest.
bool GatewayCall::may_continue(const Error& error) {
  return continuation_ != nullptr && continuation_->is_possible() && may_try_next(error) &&
         continuation_->go_on(body_.get(), told_usage());
}

RouteChoice::Moment GatewayCall::moment() const {
  RouteChoice::Moment moment{loop_calls_.index, now_ns(), 0};
  context_.clock.random(context_.clock.context, &moment.random, sizeof(moment.random));
  return moment;
}

bool GatewayCall::take_next() {
  if (!has_next()) return false;
  const RouteChoice::Moment now = moment();
  const RouteChoice::Pick pick = choice_.next(now);
  ++tries_;
  route_ = pick.route;
  pieces_before_ = pieces_;
  try_ = {loop_calls_.index, now.now_ns, 0, pick.is_probe, false, 0};
  return true;
}

void GatewayCall::try_next() {
  if (phase_ != Phase::kTrying || attempt_ != nullptr) return;
  while (take_next()) {
    const Status started = try_route();
    if (started) return arm_hedge();
    attempt_ = nullptr;
    last_error_ = started.error();
    // One that is busy or cannot take it has not been tried: to pass it by costs nothing.
    const bool is_untried = last_error_.type == kBusy || last_error_.type == kUnsupported;
    if (is_untried ? !has_next() : !may_try_next(last_error_)) break;
    context_.metrics.fallback();
  }
  fail(last_error_, CallOutcome::kFailed, nullptr);
}

Status GatewayCall::try_route() {
  const Route& route = *route_;
  if (!route.backend->try_enter()) {
    if (try_.is_probe) route.state->give_back_probe();
    context_.metrics.attempt_ended(*route.backend, AttemptOutcome::kBusy);
    return Error{Code::kResourceExhausted,
                 "every backend of the model \"" + model_.name + "\" is busy; try again soon",
                 std::string(kBusy), 429, 1000};
  }
  route.state->begin(try_);
  const BackendInstance& backend = *route.backend;
  context_.metrics.attempt_begun(backend);
  if (trace_ != nullptr) {
    trace_->attempt_begins(backend.name, backend.plugin, route.model, now_ns());
  }
  const bp_request request = request_for(route);
  Status started = Attempt::start(*this, *route.backend, attempt_context(route, request), request);
  if (!started) note_end_of_attempt(&started.error());
  return started;
}

AttemptContext GatewayCall::attempt_context(const Route& route, const bp_request& request) const {
  return {context_.loops,
          loop_calls_.mailbox,
          context_.metrics,
          context_.logger,
          generation_.users(),
          context_.limits.cancel_grace_ms,
          request.deadline_ns < deadline_ns_ ? route.backend->timeout_ms.load() : 0,
          route.backend->first_event_timeout_ms.load(),
          input_.get()};
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
  if (continuation_ != nullptr && continuation_->is_under_way()) continuation_->put_in(request);
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

}  // namespace backplane

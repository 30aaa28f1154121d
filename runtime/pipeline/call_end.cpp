// SPDX-License-Identifier: Apache-2.0
// The part of a call that ends it, whoever wants that, and settles it.
#include "runtime/pipeline/call.hpp"

#include <cassert>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

}  // namespace

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
  if (attempt_ != nullptr) return attempt_->resume();
  if (cache_ == nullptr || cache_->answer() == nullptr) return;
  post([](void* self) { static_cast<GatewayCall*>(self)->run_posted(&GatewayCall::replay); });
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
          route_ == nullptr ? std::string() : route_->backend->name,
          kPhases[static_cast<std::size_t>(ending ? Phase::kOver : phase_)],
          (now_ns() - begun_ns_) / kMillisecondNs,
          pieces_,
          context_.generation};
}

// The client has been told or is gone. What was produced is paid once the backend has ended.
void GatewayCall::stop_backend(CallOutcome outcome) {
  assert(attempt_ != nullptr);
  end_race();
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
  end_race();
  if (cache_ != nullptr) {
    cache_->end(outcome == CallOutcome::kClientGone ? FlightEnd::kLeft : FlightEnd::kFailed);
  }
  settle(outcome);
  keep_receipt();
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
  if (cache_ != nullptr) fields.emplace_back("cache", name_of(cache_->result()));
  context_.logger.write(level, "pipeline", message, fields);
}

// Pays for what was produced, no more. A backend that reports no usage is taken at the number of
// pieces that were sent on. A failure that nothing came before costs nothing.
void GatewayCall::settle(CallOutcome outcome) {
  if (cache_ != nullptr && cache_->answer() != nullptr) return settle_cached();
  usage_.struct_size = sizeof(bp_usage);
  if (continuation_ != nullptr && continuation_->is_under_way()) {
    usage_ = continuation_->usage(told_usage());
    has_usage_ = true;
  }
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

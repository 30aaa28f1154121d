// SPDX-License-Identifier: Apache-2.0
// The part of a call that tries a second backend where the first one is late.
#include "runtime/pipeline/call.hpp"

#include <cmath>

namespace backplane {

// Of streams alone: of an answer in one piece nobody knows when it is late. A form cannot be given
// to two.
void GatewayCall::arm_hedge() {
  const bool may_hedge = model_.hedge.is_on() && scan_.stream && input_ == nullptr && tries_ == 1 &&
                         attempt_ != nullptr && phase_ == Phase::kTrying && !cancelling_ &&
                         has_next();
  if (!may_hedge) return;
  constexpr float kUsPerMs = 1'000;
  std::uint64_t delay_ms = model_.hedge.after_ms;
  if (delay_ms == 0) {
    const float late_us = route_->state->late_us(loop_calls_.index);
    delay_ms = static_cast<std::uint64_t>(std::ceil(late_us / kUsPerMs));
  }
  if (delay_ms == 0) return;
  arm(hedge_timer_, delay_ms, [](void* self) {
    auto* const call = static_cast<GatewayCall*>(self);
    call->hedge_timer_ = 0;
    call->hedge();
  });
}

void GatewayCall::hedge() {
  if (!model_.hedge.withdraw(loop_calls_.index)) return;
  const RouteChoice::Moment now = moment();
  const RouteChoice::Pick pick = choice_.next_good(now);
  if (pick.route == nullptr || !pick.route->backend->try_enter()) return;
  const Route& route = *pick.route;
  const RouteTry given{loop_calls_.index, now.now_ns, 0, false, false, 0};
  ++tries_;
  route.state->begin(given);
  context_.metrics.attempt_begun(*route.backend);
  context_.metrics.hedged();
  rival_ = new Rival(*this, route, given, context_.metrics, context_.clock);
  const bp_request request = request_for(route);
  Rival::start(*rival_, attempt_context(route, request), request);
}

// It was the first to answer: it is the call's try from now on.
std::uint32_t GatewayCall::on_rival_answer(const bp_event& event) {
  context_.metrics.hedge_won();
  const Error outrun{Code::kCancelled, "another backend answered first", {}, 0, 0};
  if (trace_ != nullptr) trace_->attempt_ends(&outrun, now_ns());
  adopt_rival();
  return on_event(event);
}

void GatewayCall::adopt_rival() {
  Rival& rival = *std::exchange(rival_, nullptr);
  if (attempt_ == nullptr) {  // what has failed left nothing
    headers_.clear();
    usage_ = {};
    has_usage_ = false;
    receipt_.clear();
  }
  rival.change_places({attempt_, route_, try_, headers_, usage_, has_usage_, receipt_}, *this);
  if (trace_ == nullptr) return;
  trace_->attempt_begins(route_->backend->name, route_->backend->plugin, route_->model,
                         try_.begun_ns);
}

void GatewayCall::end_race() {
  disarm(hedge_timer_);
  if (Rival* const rival = std::exchange(rival_, nullptr)) rival->lose();
}

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/attempt.hpp"

#include "runtime/pipeline/plugin_error.hpp"

#include <backplane/plugin.hpp>
#include <cstddef>

namespace backplane {
namespace {

bool is_terminal(const bp_event& event) {
  return event.struct_size >= offsetof(bp_event, sequence) &&
         (event.type == BP_EVENT_END || event.type == BP_EVENT_ERROR);
}

}  // namespace

Attempt::Attempt(AttemptOwner& owner, BackendInstance& backend, const AttemptContext& context,
                 bp_loop* loop)
    : owner_(&owner),
      backend_(backend),
      context_(context),
      generation_(context.users),
      registry_(context.metrics.registry()),
      loop_(loop),
      sink_{sizeof(bp_sink), kOverrunMax, this, &Attempt::emit},
      input_(context.input) {}

Status Attempt::start(AttemptOwner& owner, BackendInstance& backend, const AttemptContext& context,
                      bp_request request) {
  auto* const attempt = new Attempt(owner, backend, context, request.loop);
  request.body_stream = attempt->input_.stream();
  owner.on_start(*attempt);
  bp_error error{};
  bp_call* call = nullptr;
  const std::uint32_t code =
      backend.table->submit(backend.self, &request, &attempt->sink_, &call, &error);
  if (code != BP_CODE_OK || call == nullptr) return attempt->refused(code, error);
  attempt->call_ = call;
  if (attempt->ended_) {
    attempt->delete_later();
  } else if (attempt->cancelled_) {
    call->cancel(call);
  } else {
    attempt->arm_timeout();
  }
  return ok();
}

void Attempt::arm_timeout() {
  if (context_.timeout_ms != 0) {
    timeout_timer_ = context_.loops.post_after(
        loop_, context_.timeout_ms,
        [](void* self) {
          static_cast<Attempt*>(self)->timeout_timer_ = 0;
          static_cast<Attempt*>(self)->time_out("the backend did not end within its time");
        },
        this);
  }
  if (context_.first_event_timeout_ms == 0 || answered_) return;
  first_event_timer_ = context_.loops.post_after(
      loop_, context_.first_event_timeout_ms,
      [](void* self) {
        static_cast<Attempt*>(self)->first_event_timer_ = 0;
        static_cast<Attempt*>(self)->time_out("the backend did not answer within its time");
      },
      this);
}

// There is no call to wait for. Where events came all the same the owner has begun to act on them,
// so it is told by an event as well, and what is queued is let through before the attempt goes.
Status Attempt::refused(std::uint32_t code, const bp_error& error) {
  if (code != BP_CODE_OK && next_sequence_ == 0 && !broken_ && queued_.load() == 0) {
    settle_place();
    input_.detach();
    delete this;
    return read_failure(code, error);
  }
  if (!ended_ && !broken_) {
    break_off(code == BP_CODE_OK ? "it took the call and gave none back"
                                 : "events of a call that was not taken");
  }
  settle_place();
  ended_ = true;
  delete_later();
  return ok();
}

void Attempt::cancel() {
  flow_.store(BP_FLOW_STOP);
  if (cancelled_ || ended_) return;
  cancelled_ = true;
  grace_timer_ = context_.loops.post_after(
      loop_, context_.cancel_grace_ms,
      [](void* self) { static_cast<Attempt*>(self)->leave_behind(); }, this);
  if (call_ == nullptr) return;  // inside submit
  if (depth_ == 0) return call_->cancel(call_);
  // A call is never entered from inside its own emit; the attempt lives until a later turn.
  post([](void* self) {
    auto* attempt = static_cast<Attempt*>(self);
    if (!attempt->ended_) attempt->call_->cancel(attempt->call_);
  });
}

void Attempt::resume() {
  std::uint32_t paused = BP_FLOW_PAUSE;
  if (!flow_.compare_exchange_strong(paused, BP_FLOW_CONTINUE)) return;
  overrun_.store(0);
  if (ended_) return;
  if (depth_ == 0 && call_ != nullptr) return call_->resume(call_);
  post([](void* self) {
    auto* attempt = static_cast<Attempt*>(self);
    const bool wanted = !attempt->ended_ && !attempt->cancelled_;
    if (wanted && attempt->call_ != nullptr) attempt->call_->resume(attempt->call_);
  });
}

// Where events wait for the loop, those of the loop itself queue up behind them.
std::uint32_t Attempt::emit(void* context, const bp_event* event) {
  auto* const self = static_cast<Attempt*>(context);
  if (self->closed_.load()) return BP_FLOW_STOP;
  if (is_terminal(*event)) self->closed_.store(true);
  if (self->context_.loops.is_current(self->loop_) == 0 || self->queued_.load() != 0) {
    return self->enqueue(*event);
  }
  return self->accept(*event, self->overruns());
}

std::uint32_t Attempt::enqueue(const bp_event& event) {
  const bool terminal = is_terminal(event);
  if (!terminal && flooded_.load()) return BP_FLOW_STOP;  // dropped; the loop learns of it
  if (!terminal && overruns()) flooded_.store(true);
  const bool throttle = queued_.fetch_add(1) >= kQueuePause;
  if (throttle) throttled_.store(true);
  const std::uint32_t flow = flooded_.load() ? BP_FLOW_STOP : flow_.load();
  context_.mailbox.put(*this, event);  // once it holds the terminal event, this may be gone
  if (terminal) return BP_FLOW_STOP;
  return flow == BP_FLOW_CONTINUE && throttle ? BP_FLOW_PAUSE : flow;
}

void Attempt::receive(const bp_event& event) {
  const std::uint32_t waiting = queued_.fetch_sub(1) - 1;
  accept(event, flooded_.load());
  if (waiting != 0 || !throttled_.exchange(false)) return;
  if (ended_ || call_ == nullptr || flow_.load() != BP_FLOW_CONTINUE) return;
  overrun_.store(0);
  call_->resume(call_);
}

// Counted where the backend emits: what it could not know of yet is no overrun.
bool Attempt::overruns() {
  if (flow_.load() != BP_FLOW_PAUSE && !throttled_.load()) return false;
  return overrun_.fetch_add(1) >= kOverrunMax;
}

std::uint32_t Attempt::accept(const bp_event& event, bool overrun) {
  if (ended_) return BP_FLOW_STOP;
  const char* const rule = broken_ ? nullptr : broken_rule(event, overrun && !is_terminal(event));
  if (rule != nullptr) break_off(rule);
  ++next_sequence_;
  if (is_terminal(event)) {
    end(event);
    return BP_FLOW_STOP;
  }
  return broken_ ? BP_FLOW_STOP : pass_on(event);
}

const char* Attempt::broken_rule(const bp_event& event, bool overrun) const {
  if (event.struct_size < sizeof(bp_event)) return "an event that is too short";
  if (overrun) return "more events after PAUSE than max_overrun";
  if (event.sequence != next_sequence_) return "a gap in the sequence of events";
  if (event.type == BP_EVENT_TOOL_CALL &&
      (event.tool_call == nullptr || event.tool_call->struct_size < sizeof(bp_tool_call))) {
    return "a TOOL_CALL without its bp_tool_call";
  }
  if (event.type == BP_EVENT_RECEIPT && receipted_) return "a second RECEIPT";
  if (event.type == BP_EVENT_RECEIPT && event.data.size > BP_RECEIPT_BYTES_MAX) {
    return "a RECEIPT of more than BP_RECEIPT_BYTES_MAX bytes";
  }
  return nullptr;
}

std::uint32_t Attempt::pass_on(const bp_event& event) {
  if (owner_ == nullptr) return BP_FLOW_STOP;
  receipted_ |= event.type == BP_EVENT_RECEIPT;
  const bool is_answer =
      event.type != BP_EVENT_HEAD && event.type != BP_EVENT_USAGE && event.type != BP_EVENT_RECEIPT;
  if (!answered_ && is_answer) {
    answered_ = true;
    disarm(first_event_timer_);
  }
  ++depth_;
  const std::uint32_t flow = owner_->on_event(event);
  if (flow == BP_FLOW_STOP) cancel();
  --depth_;
  std::uint32_t before = BP_FLOW_CONTINUE;
  if (flow == BP_FLOW_PAUSE) flow_.compare_exchange_strong(before, BP_FLOW_PAUSE);
  return flow_.load();
}

// The rest of the stream is not to be trusted: the call ends here, the plugin is told to stop.
void Attempt::break_off(const char* rule) {
  broken_ = true;
  ++depth_;
  tell_owner({Code::kInternal,
              "backend \"" + backend_.name + "\" broke the rules of a stream: " + rule,
              "BACKEND_PROTOCOL", 502, 0});
  if (!closed_.load()) cancel();
  --depth_;
}

// A backend that heeds the request's deadline says the same itself, sooner or later.
void Attempt::time_out(const char* what) {
  if (cancelled_ || broken_) return;
  broken_ = true;
  tell_owner({Code::kDeadlineExceeded, what, "TIMEOUT", 504, 0});
  if (!closed_.load()) cancel();
}

// The place stays taken: the backend may still be busy with the call.
void Attempt::leave_behind() {
  grace_timer_ = 0;
  backend_.leaked.fetch_add(1);
  context_.metrics.leaked();
  context_.logger.write(LogLevel::kError, "pipeline",
                        "a backend did not end a cancelled call in time",
                        {{"backend", backend_.name}});
  tell_owner({Code::kDeadlineExceeded, "the backend did not end in time", {}, 504, 0});
  generation_.end();
}

void Attempt::tell_owner(const Error& error) {
  AttemptOwner* const owner = std::exchange(owner_, nullptr);
  if (owner == nullptr) return;
  input_.detach();
  bp_error out;
  report(error, &out);
  bp_event terminal{};
  terminal.struct_size = sizeof(bp_event);
  terminal.type = BP_EVENT_ERROR;
  terminal.error = &out;
  owner->on_end(terminal);
}

void Attempt::end(const bp_event& terminal) {
  settle_place();
  ended_ = true;
  if (AttemptOwner* const owner = std::exchange(owner_, nullptr)) {
    input_.detach();
    ++depth_;
    owner->on_end(terminal);
    --depth_;
  }
  if (call_ != nullptr) delete_later();
}

void Attempt::settle_place() {
  if (ended_) return;
  backend_.leave();
  CallMetrics::attempt_left(registry_, backend_);
  disarm(grace_timer_);
  disarm(timeout_timer_);
  disarm(first_event_timer_);
}

void Attempt::disarm(std::uint64_t& timer) {
  if (timer != 0) context_.loops.cancel(loop_, std::exchange(timer, 0));
}

void Attempt::delete_later() {
  post([](void* self) {
    auto* const attempt = static_cast<Attempt*>(self);
    if (bp_call* const call = std::exchange(attempt->call_, nullptr)) call->release(call);
    if (attempt->queued_.load() != 0) return attempt->delete_later();
    delete attempt;
  });
}

}  // namespace backplane

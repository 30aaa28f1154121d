// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/attempt.hpp"

#include <backplane/plugin.hpp>
#include <cassert>

namespace backplane {
namespace {

bool is_terminal(const bp_event& event) {
  return event.type == BP_EVENT_END || event.type == BP_EVENT_ERROR;
}

}  // namespace

Attempt::Attempt(AttemptOwner& owner, BackendInstance& backend, Mailbox& mailbox,
                 const bp_loop_service& loops, bp_loop* loop)
    : owner_(&owner),
      backend_(backend),
      mailbox_(mailbox),
      loops_(loops),
      loop_(loop),
      sink_{sizeof(bp_sink), kOverrunMax, this, &Attempt::emit} {}

Result<Attempt*> Attempt::start(AttemptOwner& owner, BackendInstance& backend, Mailbox& mailbox,
                                const bp_loop_service& loops, const bp_request& request) {
  auto* attempt = new Attempt(owner, backend, mailbox, loops, request.loop);
  bp_error error{};
  bp_call* call = nullptr;
  backend.in_flight.fetch_add(1);
  const std::uint32_t code =
      backend.table->submit(backend.self, &request, &attempt->sink_, &call, &error);
  if (code == BP_CODE_OK && call != nullptr) {
    attempt->call_ = call;
    if (attempt->ended_) {
      attempt->release_later();
    } else if (attempt->cancelled_) {
      call->cancel(call);
    }
    return attempt;
  }
  backend.in_flight.fetch_sub(1);
  delete attempt;
  if (code == BP_CODE_OK) return internal_error("the backend took the call and gave none back");
  return error_of(error);
}

void Attempt::cancel() {
  flow_.store(BP_FLOW_STOP);
  if (cancelled_ || ended_) return;
  cancelled_ = true;
  if (call_ == nullptr) return;
  if (depth_ == 0) {
    call_->cancel(call_);
    return;
  }
  // A call is never entered from inside its own emit; the attempt lives until a later turn.
  loops_.post(
      loop_,
      [](void* self) {
        auto* attempt = static_cast<Attempt*>(self);
        if (!attempt->ended_) attempt->call_->cancel(attempt->call_);
      },
      this);
}

void Attempt::resume() {
  if (flow_.load() != BP_FLOW_PAUSE) return;
  flow_.store(BP_FLOW_CONTINUE);
  overrun_ = 0;
  if (!ended_ && call_ != nullptr) call_->resume(call_);
}

std::uint32_t Attempt::emit(void* context, const bp_event* event) {
  auto* self = static_cast<Attempt*>(context);
  if (self->loops_.is_current(self->loop_) == 0) return self->emit_elsewhere(*event);
  return self->accept(*event);
}

std::uint32_t Attempt::emit_elsewhere(const bp_event& event) {
  const bool full = queued_.fetch_add(1) + 1 > kOverrunMax / 2;
  if (full) throttled_.store(true);  // before the put: its delivery may be what empties the queue
  mailbox_.put(*this, event);
  const std::uint32_t flow = flow_.load();
  return full && flow == BP_FLOW_CONTINUE ? BP_FLOW_PAUSE : flow;
}

void Attempt::receive(const bp_event& event) {
  const std::uint32_t waiting = queued_.fetch_sub(1) - 1;
  accept(event);
  if (waiting == 0 && throttled_.exchange(false) && !ended_ && call_ != nullptr &&
      flow_.load() == BP_FLOW_CONTINUE) {
    call_->resume(call_);
  }
}

std::uint32_t Attempt::accept(const bp_event& event) {
  if (ended_) return BP_FLOW_STOP;
  if (event.struct_size < sizeof(bp_event) || event.sequence != next_sequence_) {
    break_off("a gap in the sequence of events");
    return BP_FLOW_STOP;
  }
  ++next_sequence_;
  if (is_terminal(event)) {
    end(event);
    return BP_FLOW_STOP;
  }
  if (flow_.load() == BP_FLOW_PAUSE && ++overrun_ > kOverrunMax) {
    break_off("more events after PAUSE than max_overrun");
    return BP_FLOW_STOP;
  }
  return pass_on(event);
}

std::uint32_t Attempt::pass_on(const bp_event& event) {
  if (owner_ == nullptr) return BP_FLOW_STOP;
  ++depth_;
  const std::uint32_t flow = owner_->on_event(event);
  --depth_;
  if (flow == BP_FLOW_STOP) {
    cancelled_ = true;  // the answer itself tells the plugin
    flow_.store(BP_FLOW_STOP);
  } else if (flow == BP_FLOW_PAUSE && flow_.load() == BP_FLOW_CONTINUE) {
    flow_.store(BP_FLOW_PAUSE);
  }
  return flow_.load();
}

// The rest of the stream is not to be trusted: the call ends here, the plugin is told to stop.
void Attempt::break_off(const char* rule) {
  if (AttemptOwner* owner = std::exchange(owner_, nullptr)) {
    bp_error error;
    report(
        {Code::kInternal, "backend \"" + backend_.name + "\" broke the rules of a stream: " + rule,
         "BACKEND_PROTOCOL", 502, 0},
        &error);
    bp_event terminal{};
    terminal.struct_size = sizeof(bp_event);
    terminal.type = BP_EVENT_ERROR;
    terminal.error = &error;
    owner->on_end(terminal);
  }
  ++depth_;
  cancel();
  --depth_;
}

void Attempt::end(const bp_event& terminal) {
  ended_ = true;
  backend_.in_flight.fetch_sub(1);
  if (AttemptOwner* owner = std::exchange(owner_, nullptr)) {
    ++depth_;
    owner->on_end(terminal);
    --depth_;
  }
  if (call_ != nullptr) release_later();
}

void Attempt::release_later() {
  loops_.post(
      loop_,
      [](void* self) {
        auto* attempt = static_cast<Attempt*>(self);
        attempt->call_->release(attempt->call_);
        delete attempt;
      },
      this);
}

}  // namespace backplane

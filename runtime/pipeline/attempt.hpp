// SPDX-License-Identifier: Apache-2.0
// One try of a call on one backend: holds the plugin to the rules of a stream (gapless sequence,
// one terminal event, nothing after it, an end to overrun, an end after a cancel or the backend's
// time) and outlives an owner that lost interest. Lives on the call's loop; deletes itself after
// both the return of submit and the terminal event.
#pragma once

#include "runtime/pipeline/call_metrics.hpp"
#include "runtime/pipeline/form_input.hpp"
#include "runtime/pipeline/generation_use.hpp"
#include "runtime/pipeline/mailbox.hpp"
#include "runtime/pipeline/router.hpp"
#include "runtime/services/logger.hpp"

#include <atomic>
#include <backplane/result.hpp>

namespace backplane {

class Attempt;

// The call behind an attempt. [loop]
class AttemptOwner {
 public:
  virtual ~AttemptOwner() = default;
  // Before submit, so that what the backend emits inside it finds the attempt in its place.
  virtual void on_start(Attempt& attempt) = 0;
  // Never the terminal event. Answers a BP_FLOW_*; STOP cancels.
  virtual std::uint32_t on_event(const bp_event& event) = 0;
  // The attempt is over for its owner, who forgets it now: it ended, broke the rules, ran out of
  // time, or did not end in time after a cancel.
  virtual void on_end(const bp_event& terminal) = 0;
};

// What attempts share, and the time of this one. What is of the call's generation, `metrics` and
// `users`, goes when an attempt is left behind; the rest outlives it.
struct AttemptContext {
  const bp_loop_service& loops;
  Mailbox& mailbox;
  CallMetrics& metrics;
  Logger& logger;
  LoopUsers& users;  // of the call's generation
  std::uint64_t cancel_grace_ms;
  std::uint64_t timeout_ms;              // 0: the call ends sooner
  std::uint64_t first_event_timeout_ms;  // until something has come; 0: none
  FormInput* input;  // what is left of a form, while the attempt has an owner; or null
};

class Attempt final : private EventReceiver {
 public:
  static constexpr std::uint32_t kOverrunMax = 1024;
  // An event that finds more than this waiting for the loop is answered PAUSE.
  static constexpr std::uint32_t kQueuePause = kOverrunMax / 2;

  // Submits the request; the backend's place has been taken. On failure nothing was emitted, the
  // place is given back and there is no attempt. Events, also the terminal one, may come before
  // this returns.
  static Status start(AttemptOwner& owner, BackendInstance& backend, const AttemptContext& context,
                      bp_request request);

  // Tells the backend to stop. on_end follows, within the grace.
  void cancel();
  void resume();
  // To another owner, who is told of all that follows.
  void hand_over(AttemptOwner& next) { owner_ = &next; }

 private:
  Attempt(AttemptOwner& owner, BackendInstance& backend, const AttemptContext& context,
          bp_loop* loop);
  ~Attempt() override = default;

  static std::uint32_t emit(void* context, const bp_event* event);
  std::uint32_t enqueue(const bp_event& event);
  void receive(const bp_event& event) override;
  bool overruns();
  std::uint32_t accept(const bp_event& event, bool overrun);
  const char* broken_rule(const bp_event& event, bool overrun) const;
  std::uint32_t pass_on(const bp_event& event);
  Status refused(std::uint32_t code, const bp_error& error);
  void break_off(const char* rule);
  void arm_timeout();
  void time_out(const char* what);
  void leave_behind();
  void tell_owner(const Error& error);
  void end(const bp_event& terminal);
  void settle_place();
  void disarm(std::uint64_t& timer);
  void post(bp_task task) { context_.loops.post(loop_, task, this); }
  void delete_later();

  AttemptOwner* owner_;
  BackendInstance& backend_;
  const AttemptContext context_;
  GenerationUse generation_;  // until it is left behind
  MetricsRegistry& registry_;
  bp_loop* const loop_;
  bp_sink sink_;
  AttemptInput input_;
  bp_call* call_ = nullptr;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t grace_timer_ = 0;
  std::uint64_t timeout_timer_ = 0;
  std::uint64_t first_event_timer_ = 0;
  std::uint32_t depth_ = 0;  // frames of emit on this loop's stack
  bool receipted_ = false;
  bool answered_ = false;  // something of an answer has come
  bool ended_ = false;     // the terminal event was taken
  bool broken_ = false;    // only the terminal event still counts
  bool cancelled_ = false;
  // Shared with the thread that emits.
  std::atomic<std::uint32_t> flow_{BP_FLOW_CONTINUE};
  std::atomic<std::uint32_t> queued_{0};
  std::atomic<std::uint32_t> overrun_{0};
  std::atomic<bool> throttled_{false};  // told to pause because of the queue
  std::atomic<bool> flooded_{false};    // did not heed it
  std::atomic<bool> closed_{false};     // the terminal event was emitted
};

}  // namespace backplane

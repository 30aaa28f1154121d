// SPDX-License-Identifier: Apache-2.0
// One try of a call on one backend: holds the plugin to the rules of a stream (gapless sequence,
// one terminal event, nothing after it, an end to overrun) and outlives a caller that lost
// interest. Lives on the call's loop; deletes itself after both the return of submit and the
// terminal event.
#pragma once

#include "runtime/pipeline/mailbox.hpp"
#include "runtime/pipeline/router.hpp"

#include <atomic>
#include <backplane/result.hpp>

namespace backplane {

// The call behind an attempt. [loop]
class AttemptOwner {
 public:
  virtual ~AttemptOwner() = default;
  // Never the terminal event. Answers a BP_FLOW_*.
  virtual std::uint32_t on_event(const bp_event& event) = 0;
  // The attempt is over (error null: well); its owner forgets it now.
  virtual void on_end(const bp_event& terminal) = 0;
};

class Attempt final : private EventReceiver {
 public:
  static constexpr std::uint32_t kOverrunMax = 1024;

  // Submits the request. On failure nothing is emitted and there is no attempt. Events, also the
  // terminal one, may come before this returns.
  static Result<Attempt*> start(AttemptOwner& owner, BackendInstance& backend, Mailbox& mailbox,
                                const bp_loop_service& loops, const bp_request& request);

  void cancel();
  void resume();
  // The owner goes; what still comes is dropped.
  void abandon() { owner_ = nullptr; }
  // The terminal event came: on_end was called, and the attempt goes in a later turn of the loop.
  bool ended() const { return ended_; }
  BackendInstance& backend() const { return backend_; }

 private:
  Attempt(AttemptOwner& owner, BackendInstance& backend, Mailbox& mailbox,
          const bp_loop_service& loops, bp_loop* loop);
  ~Attempt() override = default;

  static std::uint32_t emit(void* context, const bp_event* event);
  std::uint32_t emit_elsewhere(const bp_event& event);
  void receive(const bp_event& event) override;
  std::uint32_t accept(const bp_event& event);
  std::uint32_t pass_on(const bp_event& event);
  void break_off(const char* rule);
  void end(const bp_event& terminal);
  void release_later();

  AttemptOwner* owner_;
  BackendInstance& backend_;
  Mailbox& mailbox_;
  const bp_loop_service& loops_;
  bp_loop* const loop_;
  bp_sink sink_;
  bp_call* call_ = nullptr;
  std::uint64_t next_sequence_ = 0;
  std::uint32_t overrun_ = 0;
  std::uint32_t depth_ = 0;  // frames of emit on this loop's stack
  bool ended_ = false;       // the terminal event came
  bool cancelled_ = false;
  std::atomic<std::uint32_t> flow_{BP_FLOW_CONTINUE};
  std::atomic<std::uint32_t> queued_{0};
  std::atomic<bool> throttled_{false};  // told to pause because of the queue
};

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
// Brings events that a plugin emits on a thread of its own to the call's loop, in order and in
// batches: the loop is woken once for all that is waiting.
#pragma once

#include <backplane/abi.h>
#include <backplane/loop.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace backplane {

// A copy of an event that owns what it refers to.
class OwnedEvent {
 public:
  explicit OwnedEvent(const bp_event& event);
  // Borrows from this object.
  bp_event view() const;

 private:
  bp_event event_{};
  std::string data_;
  std::string detail_;
  bp_usage usage_{};
  bp_error error_{};
  std::vector<std::pair<std::string, std::string>> headers_;
  mutable std::vector<bp_pair> pairs_;
  // What most events are without, so that they stay small.
  struct Rare {
    std::string logprobs;
    std::string tool_call_id;
    std::string tool_call_name;
    bp_tool_call tool_call{};
    bp_rate_limit rate_limit{};
  };
  std::unique_ptr<Rare> rare_;
};

// Who takes a delivered event. [loop]
class EventReceiver {
 public:
  virtual ~EventReceiver() = default;
  virtual void receive(const bp_event& event) = 0;
};

class Mailbox {
 public:
  Mailbox(const bp_loop_service& loops, bp_loop* loop) : loops_(loops), loop_(loop) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // [any-thread] The receiver lives until its terminal event has been delivered.
  void put(EventReceiver& receiver, const bp_event& event);

 private:
  void deliver();

  const bp_loop_service& loops_;
  bp_loop* const loop_;
  std::mutex mutex_;
  std::vector<std::pair<EventReceiver*, OwnedEvent>> waiting_;
  bool scheduled_ = false;
};

}  // namespace backplane

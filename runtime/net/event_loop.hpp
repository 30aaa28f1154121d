// SPDX-License-Identifier: Apache-2.0
// One event loop: one thread, one epoll. Descriptors are watched edge-triggered and registered
// once, so a request costs one read and one write and no call to change what is watched.
//
// A turn of the loop: ready descriptors, then posted tasks, then timers, then the work kept for the
// end of the turn (where the rest of what was written is sent and what has ended is destroyed).
#pragma once

#include <backplane/loop.h>

#include <atomic>
#include <backplane/result.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/net/timer_queue.hpp"

namespace backplane {

inline constexpr std::size_t kScratchBytes = 64 * 1024;

// Who is told that a descriptor is ready. An object stays alive until the end of the turn in which
// it stops being watched.
class Watch {
 public:
  virtual void on_ready(std::uint32_t epoll_events) = 0;  // [loop]

 protected:
  ~Watch() = default;
};

// Who has something to do at the end of this turn. May destroy itself in at_turn_end.
class TurnEnd {
 public:
  virtual void at_turn_end() = 0;  // [loop]

 protected:
  ~TurnEnd() = default;

 private:
  friend class EventLoop;
  bool queued_ = false;
};

class EventLoop {
 public:
  // `index` among its siblings.
  static Result<std::unique_ptr<EventLoop>> create(std::uint32_t index);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void start();  // [control]
  void stop();   // [control] runs what has been posted so far, then joins; idempotent

  // The handle of the C interface, which is this object.
  bp_loop* handle() { return reinterpret_cast<bp_loop*>(this); }
  static EventLoop& of(bp_loop* loop) { return *reinterpret_cast<EventLoop*>(loop); }

  std::uint32_t index() const { return index_; }
  bool is_current() const;                 // [any-thread]
  void post(bp_task run, void* argument);  // [any-thread]
  // [control] Runs `work` on the loop, or here if this is its thread or it has been stopped, and
  // returns when it is done.
  void run_and_wait(const std::function<void()>& work);

  // The rest is [loop].
  std::uint64_t post_after(std::uint64_t delay_ms, bp_task run, void* argument);
  bool cancel(std::uint64_t timer);
  // The time at which this turn began: cheap, and a little in the past.
  std::int64_t turn_time_ns() const { return turn_time_ns_; }
  // False: the descriptor cannot be watched (out of memory or of watches).
  bool watch(int descriptor, std::uint32_t epoll_events, Watch& watch);
  void change(int descriptor, std::uint32_t epoll_events, Watch& watch);
  void unwatch(int descriptor);
  void defer(TurnEnd& work);
  // kScratchBytes that hold nothing from one callback to the next.
  char* scratch() { return scratch_.get(); }

 private:
  EventLoop(std::uint32_t index, int epoll, int wake);
  void run();
  void turn();
  int wait_ms();
  void wake_up();
  void run_posted();
  void run_timers();
  void run_deferred();

  const std::uint32_t index_;
  const int epoll_;
  const int wake_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  bool joined_ = false;
  std::int64_t turn_time_ns_ = 0;
  TimerQueue timers_;
  std::vector<Task> running_;
  std::vector<TurnEnd*> deferred_;
  std::vector<TurnEnd*> ending_;
  std::unique_ptr<char[]> scratch_;

  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
  bool asleep_ = false;       // guarded by mutex_
};

// Monotonic time in nanoseconds.
std::int64_t monotonic_ns();

}  // namespace backplane

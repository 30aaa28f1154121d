// SPDX-License-Identifier: Apache-2.0
// The host that the conformance check shows to a plugin: log, clock and one event loop, run by the
// thread of the test. Every other interface is missing, and the check knows who asked for it.
#pragma once

#include <backplane/abi.h>
#include <backplane/clock.h>
#include <backplane/log.h>
#include <backplane/loop.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace backplane {

// One event loop. post is for any thread, everything else for the one that made it.
class CheckLoop {
 public:
  CheckLoop() = default;
  CheckLoop(const CheckLoop&) = delete;
  CheckLoop& operator=(const CheckLoop&) = delete;

  // Runs tasks until `done` says so, or the time is over: false.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds time);
  // Wakes run_until, to ask `done` again. Any thread.
  void wake();

  void post(bp_task task, void* argument);
  std::uint64_t post_after(std::uint64_t delay_ms, bp_task task, void* argument);
  bool cancel(std::uint64_t timer);
  bool is_current() const { return std::this_thread::get_id() == owner_; }
  bp_loop* handle() { return reinterpret_cast<bp_loop*>(this); }
  static CheckLoop* of(bp_loop* loop) { return reinterpret_cast<CheckLoop*>(loop); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Task {
    std::uint64_t name;
    bp_task run;
    void* argument;
  };
  bool run_one(std::unique_lock<std::mutex>& lock);
  std::uint64_t add(Clock::time_point due, bp_task task, void* argument);

  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Task> tasks_;  // equal times keep their order
  std::uint64_t next_name_ = 1;
};

class CheckHost {
 public:
  CheckHost();
  CheckHost(const CheckHost&) = delete;
  CheckHost& operator=(const CheckHost&) = delete;

  const bp_host* table() const { return &table_; }
  CheckLoop& loop() { return loop_; }

  // Answers null for this id from now on; "*": for every id.
  void withhold(std::string_view id) { withheld_.insert(std::string(id)); }
  // What the plugin asked for, and the part of it that it did not get.
  std::vector<std::string> asked() const;
  std::vector<std::string> refused() const;

 private:
  static const void* get_interface(const bp_host* self, bp_str id);
  const void* find(std::string_view id);

  CheckLoop loop_;
  bp_host table_;
  bp_log log_;
  bp_clock clock_;
  bp_loop_service loop_service_;
  std::set<std::string> withheld_;
  mutable std::mutex mutex_;
  std::map<std::string, bool> asked_;  // id, given
};

}  // namespace backplane

// SPDX-License-Identifier: Apache-2.0
// bp.loop/1: the event loops of one runtime, one thread each. No signal handler, no global state:
// any number of instances live in one process.
//
// Order of destruction: whatever uses the loops (Net, HttpClient) goes first.
#pragma once

#include <backplane/loop.h>

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <vector>

namespace backplane {

class EventLoop;

inline constexpr std::uint32_t kLoopsMax = 1024;

class Loops {
 public:
  // Starts `count` threads; 0: one per core this process may use. Fails when descriptors or threads
  // run out, or above kLoopsMax. [control]
  static Result<std::unique_ptr<Loops>> start(std::uint32_t count = 0);
  ~Loops();
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;

  // Runs the tasks posted so far, then joins; timers and later tasks never run. Idempotent; not
  // from a loop's own thread. [control]
  void stop();

  // Lives as long as this object. [any-thread]
  const bp_loop_service* table() const { return &table_; }
  std::uint32_t count() const { return table_.count; }
  EventLoop& at(std::uint32_t index) const { return *loops_[index]; }

 private:
  explicit Loops(std::vector<std::unique_ptr<EventLoop>> loops);

  std::vector<std::unique_ptr<EventLoop>> loops_;
  bp_loop_service table_{};
};

}  // namespace backplane
